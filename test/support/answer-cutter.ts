// Owns one order to cut off answers: which requests it takes, how many are done, and its report.
import { partsOf } from './resp.ts'

/** Which answers are cut off. */
export interface CutAnswersOptions {
  /**
   * Asked for each request until enough have been found: a Redis command as it went over the wire and its parts (`['set',
   * 'key', 'value']`), or for other protocols the bytes of one read and no parts. Default: every request.
   */
  after?: (request: Buffer, parts: string[]) => boolean
  /** So many answers, each with its connection. Default 1. */
  times?: number
}

export class AnswerCutter {
  /** Fulfilled with how many were cut, when that is `times` or when it is ended before. */
  readonly done: Promise<number>
  readonly #after: (request: Buffer, parts: string[]) => boolean
  readonly #times: number
  #resolve: (cut: number) => void = () => undefined
  #taken = 0
  #cut = 0

  constructor(options: CutAnswersOptions) {
    this.#after = options.after ?? (() => true)
    this.#times = options.times ?? 1
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  take(request: Buffer): boolean {
    if (this.#taken >= this.#times || !this.#after(request, partsOf(request))) return false
    this.#taken++
    return true
  }

  report(): void {
    this.#cut++
    if (this.#cut === this.#times) this.end()
  }

  end(): void {
    this.#resolve(this.#cut)
  }
}
