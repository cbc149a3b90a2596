// Owns which answer on a proxied connection belongs to which request, so that exactly one answer can be cut off.
import { RespSplitter } from './resp.ts'

/** Decides about a request whether its answer is to be cut off. */
export type IsWanted = (request: Buffer) => boolean

/** What becomes of bytes of an answer. */
export interface Verdict {
  /** This much from the start of the chunk still goes to the client. */
  keep: number
  /** The unwanted answer has come: cut the connection. */
  isAnswered: boolean
}

/** The requests and answers of one connection. */
export interface Exchange {
  request(chunk: Buffer, isWanted: IsWanted): void
  answer(chunk: Buffer): Verdict
}

/** Redis answers every command in order, so counting both sides finds the answer. Chosen by how the first request begins. */
export function exchangeFor(firstRequest: Buffer): Exchange {
  return String.fromCharCode(firstRequest[0]!) === '*' ? new RedisExchange() : new PlainExchange()
}

class RedisExchange implements Exchange {
  readonly #commands = new RespSplitter()
  readonly #answers = new RespSplitter()
  #asked = 0
  #answered = 0
  /** The number of the command whose answer is cut off. */
  #doomed: number | undefined

  request(chunk: Buffer, isWanted: IsWanted): void {
    for (const { bytes } of this.#commands.push(chunk)) {
      this.#asked++
      if (this.#doomed === undefined && isWanted(bytes)) this.#doomed = this.#asked
    }
  }

  answer(chunk: Buffer): Verdict {
    let keep = this.#answered + 1 === this.#doomed ? 0 : chunk.length
    for (const { end, isPush } of this.#answers.push(chunk)) {
      if (isPush) continue
      this.#answered++
      if (this.#answered === this.#doomed) return { keep, isAnswered: true }
      if (this.#answered + 1 === this.#doomed) keep = end
    }
    return { keep, isAnswered: false }
  }
}

/** Any other protocol: one request at a time, and the first bytes after it are its answer. */
class PlainExchange implements Exchange {
  #isDoomed = false

  request(chunk: Buffer, isWanted: IsWanted): void {
    this.#isDoomed ||= isWanted(chunk)
  }

  answer(chunk: Buffer): Verdict {
    return { keep: this.#isDoomed ? 0 : chunk.length, isAnswered: this.#isDoomed }
  }
}
