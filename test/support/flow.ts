// Owns one direction of a proxied connection: what happens at the source happens at the sink, in order, delayed, and only
// while the gate is open.
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What holds back bytes at this moment. */
export interface Hindrance {
  readonly gate: { readonly passage: Promise<unknown> }
  readonly delayMs: number
}

/** What goes on of a chunk, and what is done once it has. */
export interface Passage {
  bytes: Buffer
  afterwards?: () => void
}

// Beyond this the source feels it, as it would feel a slow network.
const MOST_HELD_BYTES = 64 * 1024

export class Flow {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #hindrance: Hindrance
  #last: Promise<void> = Promise.resolve()
  #heldBytes = 0

  constructor(source: Socket, sink: Socket, hindrance: Hindrance, inspect: (chunk: Buffer) => Passage) {
    this.#source = source
    this.#sink = sink
    this.#hindrance = hindrance
    source.on('data', (chunk) => {
      const { bytes, afterwards } = inspect(chunk)
      if (bytes.length > 0) this.#write(bytes)
      if (afterwards) this.#queue(afterwards)
    })
    source.on('end', () => this.#queue(() => sink.end()))
    source.on('error', () => this.#queue(() => sink.resetAndDestroy()))
    source.on('close', () => this.#queue(() => sink.destroySoon()))
  }

  #write(bytes: Buffer): void {
    this.#hold(bytes.length)
    this.#queue(() => this.#sink.write(bytes, () => this.#hold(-bytes.length)))
  }

  #hold(change: number): void {
    this.#heldBytes += change
    if (this.#heldBytes > MOST_HELD_BYTES) this.#source.pause()
    else this.#source.resume()
  }

  #queue(act: () => void): void {
    const due = performance.now() + this.#hindrance.delayMs
    this.#last = this.#last.then(async () => {
      const wait = due - performance.now()
      if (wait > 0) await sleep(wait)
      await this.#hindrance.gate.passage
      if (!this.#sink.destroyed) act()
    })
  }
}
