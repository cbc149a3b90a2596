// Owns the wait for replicas: an enqueue is acknowledged once they have it.
import { TickBatch } from 'fastify-ah-kit'
import type { ServerClient } from 'fastify-ah-kit/redis'
import { AH_TASKS_NOT_DURABLE } from './errors.ts'
import type { DurabilityOptions } from './options.ts'
import type { Scope } from './scope.ts'

export class Durability {
  readonly #scope: Scope
  readonly #replicas: number
  readonly #timeoutMs: number
  // One WAIT answers for all that was written before it.
  readonly #batch: TickBatch<null, number>

  constructor(scope: Scope, { replicas, timeoutMs = 1_000 }: DurabilityOptions) {
    this.#scope = scope
    this.#replicas = replicas
    this.#timeoutMs = timeoutMs
    this.#batch = new TickBatch<null, number>({ name: 'durability', send: (asks) => this.#send(asks) })
  }

  /** Rejects with `AH_TASKS_NOT_DURABLE` if fewer replicas have what was written so far. */
  async confirm(): Promise<void> {
    const count = await this.#batch.add(null)
    if (count < this.#replicas) throw new AH_TASKS_NOT_DURABLE(count, this.#replicas, this.#timeoutMs)
  }

  async #send(asks: readonly null[]): Promise<number[]> {
    const { connection } = this.#scope
    const words = [this.#replicas, this.#timeoutMs]
    const count = await connection.call<number>({
      name: 'WAIT',
      // Harmless twice.
      isWrite: false,
      send: (client) => {
        // WAIT speaks of the connection that it comes by: on Cluster that to the master of our slot.
        const master = client.isCluster ? this.#master() : (client as ServerClient)
        return master.call('WAIT', words) as Promise<number>
      },
    })
    return asks.map(() => count)
  }

  #master(): ServerClient {
    const { connection, keys } = this.#scope
    const place = connection.masterOf(keys.beat)
    const found = connection.masters().find(({ options }) => `${options.host}:${options.port}` === place)
    if (found === undefined) throw new Error(`there is no connection to the master ${place}`)
    return found
  }
}
