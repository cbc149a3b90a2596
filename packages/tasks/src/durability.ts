// Owns the wait for replicas: an enqueue is acknowledged once they have it.
import { TickBatch } from 'fastify-ah-kit'
import type { DedicatedConnection, RedisClient, ServerClient } from 'fastify-ah-kit/redis'
import { AH_TASKS_NOT_DURABLE } from './errors.ts'
import type { DurabilityOptions } from './options.ts'
import type { Scope } from './scope.ts'

// How much longer than asked for a WAIT may take before its connection is replaced.
const graceMs = 2_000

/**
 * On a connection of its own: WAIT holds up all that is sent behind it, and while a replica is away that is the whole
 * time for each enqueue. WAIT speaks of what its own connection has written, so a write goes before it: whoever has that,
 * has what this master acknowledged earlier. Neither is ever sent again on another connection, whose master may be another one.
 */
export class Durability {
  readonly #scope: Scope
  readonly #replicas: number
  readonly #timeoutMs: number
  readonly #connection: DedicatedConnection
  // One WAIT answers for all that was written before it.
  readonly #batch: TickBatch<null, number>
  #wasReady = false

  constructor(scope: Scope, { replicas, timeoutMs = 1_000 }: DurabilityOptions) {
    this.#scope = scope
    this.#replicas = replicas
    this.#timeoutMs = timeoutMs
    this.#connection = scope.connection.dedicated('reconciled')
    this.#batch = new TickBatch<null, number>({ name: 'durability', send: (asks) => this.#send(asks) })
  }

  /** Rejects with `AH_TASKS_NOT_DURABLE` if fewer replicas have what was written so far, or nobody can say. */
  async confirm(): Promise<void> {
    let count = 0
    let cause: unknown
    try {
      count = await this.#batch.add(null)
    } catch (thrown) {
      // Of the question, not of the enqueue: its code would say that nothing was enqueued.
      cause = thrown
    }
    if (count >= this.#replicas) return
    throw new AH_TASKS_NOT_DURABLE(count, this.#replicas, this.#timeoutMs, ...(cause === undefined ? [] : [{ cause }]))
  }

  async #send(asks: readonly null[]): Promise<number[]> {
    // One that comes back may come back to another master, which knows nothing of what the last one acknowledged.
    if (this.#wasReady && this.#connection.client.status !== 'ready') return asks.map(() => 0)
    const count = await this.#connection.wait('WAIT', (client) => this.#ask(client), this.#timeoutMs + graceMs)
    this.#wasReady = true
    return asks.map(() => count)
  }

  async #ask(client: RedisClient): Promise<number> {
    const { keys } = this.#scope
    const master = this.#masterOf(client)
    const written = master.call('SET', [keys.confirmed, '1', 'PX', '60000'])
    const [, count] = await Promise.all([written, master.call('WAIT', [this.#replicas, this.#timeoutMs])])
    return count as number
  }

  /** On Cluster the master of our slot. */
  #masterOf(client: RedisClient): ServerClient {
    if (!client.isCluster) return client as ServerClient
    const { connection, keys } = this.#scope
    const place = connection.masterOf(keys.confirmed)
    const masters = (client as Exclude<RedisClient, ServerClient>).nodes('master')
    const found = masters.find(({ options }) => `${options.host}:${options.port}` === place)
    if (found === undefined) throw new Error(`there is no connection to the master ${place}`)
    return found
  }
}
