// Who wants to hear what of the client.
import { report } from './page.ts'
import type { ClientEvents } from './types.ts'

/** One that throws keeps nothing from the others. */
export class Listeners {
  readonly #all = new Map<string, Set<(event: never) => void>>()

  /** Answers how to stop. */
  add(name: string, listener: (event: never) => void): () => void {
    const all = this.#all.get(name) ?? new Set()
    this.#all.set(name, all.add(listener))
    return () => void all.delete(listener)
  }

  tell<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    for (const listener of this.#all.get(name) ?? []) {
      try {
        listener(event as never)
      } catch (thrown) {
        report(thrown)
      }
    }
  }
}
