// How much a read answers, learnt from what reads answered: what is asked for at once must fit into a reply.

/** A reply of one command: Redis does nothing else while it puts one together, and holds it whole. */
const mostBytes = 4 * 1024 * 1024

/** Of the values on one master. */
export class ReplySize {
  #meanBytes = 0

  /** How many keys may be asked for in one command. */
  get mostKeys(): number {
    return Math.max(1, Math.floor(mostBytes / Math.max(1, this.#meanBytes)))
  }

  /** What was answered to this many keys. */
  note(answers: readonly (string | null)[], keys: number): void {
    let bytes = 0
    for (const answer of answers) bytes += answer?.length ?? 0
    this.#meanBytes = (this.#meanBytes + bytes / keys) / 2
  }
}
