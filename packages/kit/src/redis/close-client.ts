// The end of a client that is ours: politely if Redis answers, in time if it does not.
import type { FastifyBaseLogger } from 'fastify'
import { within } from '../within.ts'
import { withoutArguments } from './failure.ts'
import type { RedisClient } from './target.ts'

// How long QUIT may take; a silent Redis must not hold up a process that wants to end.
const quitMs = 1000
// How long closing a socket may take: a little more than the `disconnectTimeout` of our clients.
const cutMs = 500

/** Ends the client within two seconds, whatever state it is in. Never rejects. */
export async function closeClient(client: RedisClient, log: FastifyBaseLogger): Promise<void> {
  const isEnded = (): boolean => client.status === 'end'
  if (isEnded()) return
  const ended = new Promise<void>((resolve) => {
    client.once('end', () => resolve())
  })
  if (client.isCluster) endAgainWhenReady(client)
  if (client.status === 'ready') {
    client.quit().catch((error: Error) => {
      log.debug({ err: withoutArguments(error) }, 'Redis did not answer QUIT')
    })
    await within(quitMs, ended, () => undefined)
  }
  // Between two tries to connect there is no socket, and ioredis announces no end.
  const mayEnd = !isEnded() && client.status !== 'reconnecting'
  // Behind Sentinel also after QUIT, which leaves the connections that watch for failovers.
  if (!client.isCluster || !isEnded()) client.disconnect()
  if (mayEnd) await within(cutMs, ended, () => undefined)
}

/**
 * A Cluster client that is ended while it looks at the state of the cluster gets ready all the same, and then looks every
 * few seconds, for ever, at nodes that it has left: the process would never end.
 */
function endAgainWhenReady(client: RedisClient): void {
  client.on('ready', () => client.disconnect())
}
