// The clients' records in Redis: who keeps whom.
import type { RedisConnection } from 'fastify-ah-kit/redis'
import { type Delivery, deliveriesIn } from './delivery.ts'
import type { FayeKeys } from './keys.ts'
import { claimClient } from './scripts/claim-client.ts'
import { dropClient } from './scripts/drop-client.ts'
import { keepClient } from './scripts/keep-client.ts'
import { leaveClient } from './scripts/leave-client.ts'
import { noteChannels } from './scripts/note-channels.ts'

/** A client as this process keeps it. */
export interface Kept {
  readonly clientId: string
  readonly epoch: number
  readonly channels: ReadonlySet<string>
}

/** What a record says. */
export interface ClientRecord {
  /** Id of the node; empty if nobody keeps the client. */
  readonly keeper: string
  readonly epoch: number
  readonly channels: readonly string[]
}

/** What the records are made of. */
export interface RecordsOptions {
  readonly connection: RedisConnection
  readonly keys: FayeKeys
  /** This process to the others. */
  readonly nodeId: string
  /** How long a record lasts without its keeper, in ms. */
  readonly recordMs: number
}

/** All of it may be sent twice without harm. */
export class Records {
  readonly #options: RecordsOptions

  constructor(options: RecordsOptions) {
    this.#options = options
  }

  async read(clientId: string): Promise<ClientRecord | undefined> {
    const { connection, keys } = this.#options
    const members = await connection.read<string[] | Record<string, string>>('HGETALL', [keys.client(clientId)])
    const record = new Map(pairsOf(members))
    const epoch = Number(record.get('epoch'))
    if (!Number.isSafeInteger(epoch) || epoch < 1) return undefined
    const channels = [...record.keys()].filter((name) => name.startsWith('c:')).map((name) => name.slice(2))
    return { keeper: record.get('keeper') ?? '', epoch, channels }
  }

  async exists(clientId: string): Promise<boolean> {
    const { connection, keys } = this.#options
    return (await connection.read<number>('EXISTS', [keys.client(clientId)])) === 1
  }

  /** Renews many records; answers those whose clients another process keeps by now. */
  async keep(clients: readonly Kept[]): Promise<Set<string>> {
    const { connection, keys, nodeId, recordMs } = this.#options
    const answers = await connection.pipeline(
      clients.map(({ clientId, epoch, channels }) => ({
        script: keepClient,
        keys: [keys.client(clientId)],
        args: [nodeId, epoch, recordMs, ...channels],
      })),
    )
    const failed = answers.find((answer) => answer instanceof Error)
    if (failed !== undefined) throw failed
    return new Set(clients.filter((_, index) => answers[index] === 0).map(({ clientId }) => clientId))
  }

  /** What the last keeper left, if this process keeps the client from now on; undefined if another was quicker. */
  async claim(clientId: string, epochBefore: number): Promise<Delivery[] | undefined> {
    const { connection, keys, nodeId, recordMs } = this.#options
    const left = await connection.run<string | null>(
      claimClient,
      [keys.client(clientId)],
      [nodeId, epochBefore, recordMs],
    )
    return left === null ? undefined : deliveriesIn(left)
  }

  /** Whether it was noted: not if another process keeps the client. */
  async note({ clientId, epoch }: Kept, verb: 'HSET' | 'HDEL', channels: readonly string[]): Promise<boolean> {
    const { connection, keys, nodeId } = this.#options
    const args = [nodeId, epoch, verb, ...channels]
    return (await connection.run<number>(noteChannels, [keys.client(clientId)], args)) === 1
  }

  async drop({ clientId, epoch }: Kept): Promise<void> {
    const { connection, keys, nodeId } = this.#options
    await connection.run(dropClient, [keys.client(clientId)], [nodeId, epoch])
  }

  /** Whether it was left: not if another process keeps the client. */
  async leave({ clientId, epoch }: Kept, waiting: readonly Delivery[]): Promise<boolean> {
    const { connection, keys, nodeId, recordMs } = this.#options
    const args = [nodeId, epoch, JSON.stringify(waiting), recordMs]
    return (await connection.run<number>(leaveClient, [keys.client(clientId)], args)) === 1
  }
}

/** HGETALL answers a list or, from some clients, an object. */
function pairsOf(members: readonly string[] | Record<string, string>): [string, string][] {
  if (!Array.isArray(members)) return Object.entries(members)
  return Array.from({ length: members.length / 2 }, (_, index) => [
    members[index * 2] as string,
    members[index * 2 + 1] as string,
  ])
}
