// Whether the servers behind a client answer.
import type { Cluster, Redis } from 'ioredis'
import { toError } from '../errors.ts'
import { within } from '../within.ts'
import { classify, withoutArguments } from './failure.ts'
import type { RedisClient } from './target.ts'

// How long a server may take to answer PING.
const pingMs = 1000

/** All masters: one on a single server. */
export function mastersOf(client: RedisClient): Redis[] {
  return client.isCluster ? (client as Cluster).nodes('master') : [client as Redis]
}

/** Why one of the masters is not fit to serve, in words; undefined if all are. */
export async function whyUnfit(client: RedisClient): Promise<string | undefined> {
  if (client.status !== 'ready') return disconnected
  const masters = mastersOf(client)
  // ioredis drops a node whose connection ended, and stays "ready" with what is left.
  if (client.isCluster && masters.length < ownersOf(client as Cluster)) return 'lacks a master'
  const reasons = await Promise.all(masters.map(ping))
  return reasons.find((reason) => reason !== undefined)
}

/** The masters that are connected and silent. */
export async function silentMasters(client: RedisClient): Promise<Redis[]> {
  const masters = mastersOf(client).filter(isConnected)
  const reasons = await Promise.all(masters.map(ping))
  return masters.filter((master, index) => reasons[index] === silence && isConnected(master))
}

// `connect`: the socket is open, the handshake is not over. On Cluster nobody else looks after the nodes' handshakes.
function isConnected({ status }: Redis): boolean {
  return status === 'ready' || status === 'connect'
}

const silence = `does not answer within ${pingMs} ms`
const disconnected = 'is not connected'

/** How many masters hold slots, by the last word of the cluster. */
function ownersOf({ slots }: Cluster): number {
  return new Set(slots.map(([master]) => master)).size
}

async function ping(server: Redis): Promise<string | undefined> {
  const answer = server.ping().then(
    () => undefined,
    (thrown) => {
      const error = toError(thrown)
      switch (classify(error)) {
        case 'refused':
          // A user without the right to PING hears that from a living server.
          return undefined
        case 'silent':
          return silence
        case 'disconnected':
          return disconnected
        default:
          return `says ${withoutArguments(error).message}`
      }
    },
  )
  return within<string | undefined>(pingMs, answer, () => silence)
}
