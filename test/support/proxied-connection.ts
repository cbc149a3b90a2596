// Owns one connection through the proxy: two sockets and what flows between them.
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { AnswerCutter } from './answer-cutter.ts'
import { type Exchange, exchangeFor } from './exchange.ts'
import { Flow, type Hindrance, type Passage } from './flow.ts'
import { Gate } from './gate.ts'
import type { HeldAnswer } from './held-answer.ts'

/** What the proxy does to all its connections at this moment. */
export interface Weather extends Hindrance {
  /** Asked once per request: who wants its answer cut off? */
  cutterOf(request: Buffer): AnswerCutter | undefined
  /** Likewise: whose answer is held back? */
  holderOf(request: Buffer): HeldAnswer | undefined
}

export class ProxiedConnection {
  readonly #client: Socket
  readonly #target: Socket
  readonly #weather: Weather
  #exchange: Exchange | undefined
  #cutter: AnswerCutter | undefined
  readonly #answers = new Gate()
  #held: HeldAnswer | undefined

  constructor(client: Socket, target: NetConnectOpts, weather: Weather) {
    this.#client = client
    this.#target = connect({ ...target, allowHalfOpen: true, noDelay: true })
    this.#weather = weather
    new Flow(this.#client, this.#target, weather, (chunk) => this.#passRequest(chunk))
    const ownGate = this.#answers
    const answered = {
      gate: {
        get passage() {
          return Promise.all([weather.gate.passage, ownGate.passage])
        },
      },
      get delayMs() {
        return weather.delayMs
      },
    }
    new Flow(this.#target, this.#client, answered, (chunk) => this.#passAnswer(chunk))
  }

  /** Resets the client's side and closes the target's at once, whatever is held back. */
  cut(): void {
    this.#answers.open()
    // A reset while its end is being said leaves the handle open for ever in Node 20, and the process spins at its exit.
    if (this.#client.writableEnded) this.#client.destroy()
    else this.#client.resetAndDestroy()
    this.#target.destroy()
  }

  /** Calls back when the client's side is closed. */
  onClose(listener: () => void): void {
    this.#client.once('close', listener)
  }

  #passRequest(chunk: Buffer): Passage {
    this.#exchange ??= exchangeFor(chunk)
    this.#exchange.request(chunk, (request) => {
      this.#held ??= this.#weather.holderOf(request)
      if (this.#held !== undefined) this.#answers.shut()
      this.#cutter = this.#weather.cutterOf(request)
      return this.#cutter !== undefined
    })
    return { bytes: chunk }
  }

  #passAnswer(chunk: Buffer): Passage {
    const held = this.#held
    this.#held = undefined
    held?.report(() => this.#answers.open())
    const verdict = this.#exchange?.answer(chunk)
    if (!verdict) return { bytes: chunk }
    const bytes = chunk.subarray(0, verdict.keep)
    return verdict.isAnswered ? { bytes, afterwards: () => this.#cutAnswer() } : { bytes }
  }

  #cutAnswer(): void {
    // Not a reset: that would take the answers before it out of the client's hands.
    this.#client.destroySoon()
    this.#target.destroy()
    this.#cutter?.report()
  }
}
