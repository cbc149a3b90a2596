// Owns one order to hold back an answer: which request's, and how it is let go.
import { partsOf } from './resp.ts'

/** Lets the answer, and what came behind it on its connection, go on. */
export type Release = () => void

export class HeldAnswer {
  /** Fulfilled when the answer has come and is held. */
  readonly held: Promise<Release>
  readonly #after: (parts: string[]) => boolean
  #resolve: (release: Release) => void = () => undefined
  #isTaken = false

  constructor(after: (parts: string[]) => boolean) {
    this.#after = after
    this.held = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  take(request: Buffer): boolean {
    if (this.#isTaken || !this.#after(partsOf(request))) return false
    this.#isTaken = true
    return true
  }

  report(release: Release): void {
    this.#resolve(release)
  }
}
