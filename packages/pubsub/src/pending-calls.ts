// Owns the calls that wait for answers: each is settled once, and leaves nothing behind.
import { AH_PUBSUB_CALL_TIMEOUT, AH_PUBSUB_CLOSED, AH_PUBSUB_NODE_GONE } from './errors.ts'
import type { NodeAnswer } from './types.ts'

interface Pending {
  readonly name: string
  readonly ms: number
  readonly awaited: Set<string>
  readonly answers: NodeAnswer<unknown>[]
  readonly done: (answers: readonly NodeAnswer<unknown>[]) => void
  readonly timer: NodeJS.Timeout
}

/** By the number of the call. */
export class PendingCalls {
  readonly #pending = new Map<number, Pending>()
  #count = 0
  #isClosed = false

  get size(): number {
    return this.#pending.size
  }

  /** A call of these nodes; `send` gets its number. Resolves with one answer for each, an error for those that gave none. */
  open(
    name: string,
    nodes: readonly string[],
    ms: number,
    send: (number: number) => Promise<void>,
  ): Promise<readonly NodeAnswer<unknown>[]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new AH_PUBSUB_CLOSED())
        return
      }
      this.#count += 1
      const number = this.#count
      const pending: Pending = {
        name,
        ms,
        awaited: new Set(nodes),
        answers: [],
        done: resolve,
        timer: setTimeout(() => this.#giveUp(number), ms),
      }
      this.#pending.set(number, pending)
      send(number).catch((error: Error) => {
        this.#end(number)
        reject(error)
      })
      if (nodes.length === 0) this.#finish(number, pending)
    })
  }

  /** The nodes whose answers to a call are still missing; none for one that nobody waits for any more. */
  awaitedBy(number: number): readonly string[] {
    return [...(this.#pending.get(number)?.awaited ?? [])]
  }

  /** Whether the node's answer to a call is still missing. */
  isAwaited(number: number, node: string): boolean {
    return this.#pending.get(number)?.awaited.has(node) === true
  }

  /** A node has answered. What nobody waits for (any more) is passed over. */
  settle(number: unknown, answer: NodeAnswer<unknown>): void {
    const pending = this.#pending.get(number as number)
    if (pending === undefined || !pending.awaited.delete(answer.node)) return
    pending.answers.push(answer)
    if (pending.awaited.size === 0) this.#finish(number as number, pending)
  }

  /** A node has left: who waits for it waits in vain. */
  nodeLeft(node: string): void {
    for (const [number, { name }] of this.#pending) {
      this.settle(number, { node, error: new AH_PUBSUB_NODE_GONE(node, name) })
    }
  }

  /** Nobody will answer. */
  close(): void {
    this.#isClosed = true
    this.#failAll(() => new AH_PUBSUB_CLOSED())
  }

  #giveUp(number: number): void {
    const pending = this.#pending.get(number)
    if (pending === undefined) return
    for (const node of [...pending.awaited]) {
      this.settle(number, { node, error: new AH_PUBSUB_CALL_TIMEOUT(node, pending.name, pending.ms) })
    }
  }

  #failAll(error: () => Error): void {
    for (const [number, { awaited }] of this.#pending) {
      for (const node of [...awaited]) this.settle(number, { node, error: error() })
    }
  }

  #finish(number: number, { answers, done }: Pending): void {
    this.#end(number)
    done(answers)
  }

  #end(number: number): void {
    clearTimeout(this.#pending.get(number)?.timer)
    this.#pending.delete(number)
  }
}
