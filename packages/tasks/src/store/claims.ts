// The state "claimed": what this process has taken from the queues and not settled yet.

import { parseMarked } from '../mark.ts'
import type { Scope } from '../scope.ts'
import { exchangeJobs } from '../scripts/exchange-jobs.ts'
import { takeSlot } from '../scripts/take-slot.ts'
import { type Settle, settleWords } from '../settle.ts'

/** A job that was handed to this process. */
export interface ClaimedJob {
  readonly claim: number
  /** `f0`, `r0`, `s2`: kind of mark and deaths. */
  readonly mark: string
  readonly queue: string
  readonly text: string
}

/** What an exchange asks for. */
export interface Exchange {
  /** Ascends with each exchange that settles something; the same for a repeat of one that got no answer. */
  readonly batch: number
  readonly settles: readonly Settle[]
  readonly want: number
  readonly queues: readonly string[]
  readonly mayTakeSuspect: boolean
  /** Nobody would hear of new jobs if this came up short. */
  readonly wantsPoke: boolean
  /** `list`: answers the names of all queues; `tell`: has the next idle processor ask for them. */
  readonly news: 'none' | 'list' | 'tell'
  /** The lease was renewed a moment ago. */
  readonly isFresh: boolean
  /** `offer`: a job may be handed to this process while there is none; `withdraw`: not any more. */
  readonly stance: 'none' | 'offer' | 'withdraw'
  /** The queues for which it offers itself. */
  readonly offerQueues: string
}

/** What it came to. */
export interface Exchanged {
  /** For each settle whether the claim was still ours. */
  readonly verdicts: readonly boolean[]
  readonly jobs: readonly ClaimedJob[]
  readonly queues: readonly string[] | undefined
}

const stanceWords = { none: 0, offer: 1, withdraw: 2 } as const
const newsWords = { none: 0, list: 1, tell: 2 } as const

export class Claims {
  readonly #scope: Scope
  readonly #keys: readonly string[]
  #seen = 0

  constructor(scope: Scope) {
    this.#scope = scope
    const { keys, bootId } = scope
    this.#keys = [keys.claims(bootId), keys.processors, keys.processedCount, keys.paused, keys.returned, keys.queues]
  }

  /** One round trip. After an error it is to be asked again with the same batch and settles. */
  async exchange({
    batch,
    settles,
    want,
    queues,
    mayTakeSuspect,
    wantsPoke,
    news,
    isFresh,
    stance,
    offerQueues,
  }: Exchange): Promise<Exchanged> {
    const { connection, keys, bootId, leaseMs } = this.#scope
    const args: (string | number)[] = [
      keys.root,
      bootId,
      leaseMs,
      batch,
      this.#seen,
      want,
      mayTakeSuspect ? 1 : 0,
      wantsPoke ? 1 : 0,
      newsWords[news],
      isFresh ? 1 : 0,
      stanceWords[stance],
      offerQueues,
      queues.length,
      0,
      ...queues,
    ]
    let done = 0
    // Plain ones first: the script takes them without looking at more than their number.
    for (const { kind, claim } of settles) {
      if (kind !== 'done') continue
      args.push(claim)
      done += 1
    }
    args[13] = done
    if (done < settles.length) {
      for (const settle of settles) if (settle.kind !== 'done') args.push(...settleWords(settle, this.#scope))
    }
    const answer = await connection.run<(string | number | string[] | null)[]>(exchangeJobs, this.#keys, args)
    return {
      verdicts: verdictsOf(settles, String(answer[0])),
      jobs: this.#jobsIn(answer),
      queues: (answer[1] as string[] | null) ?? undefined,
    }
  }

  /** From the third place on: runs of claims, each with its first number, mark, queue, count, and so many payloads. */
  #jobsIn(answer: readonly unknown[]): ClaimedJob[] {
    const jobs: ClaimedJob[] = []
    let index = 2
    while (index < answer.length) {
      let claim = Number(answer[index])
      const mark = answer[index + 1] as string
      const queue = answer[index + 2] as string
      const end = index + 4 + Number(answer[index + 3])
      for (index += 4; index < end; index += 1) {
        jobs.push({ claim, mark, queue, text: answer[index] as string })
        claim += 1
      }
    }
    return jobs
  }

  /** The highest claim that this process knows: it has begun, or been asked to begin, all up to here. */
  get seen(): number {
    return this.#seen
  }

  /** Those of an exchange that are not known yet, by mail or another exchange; from now on they are. To be begun at once. */
  admit(jobs: readonly ClaimedJob[]): readonly ClaimedJob[] {
    const fresh =
      jobs.length > 0 && (jobs[0] as ClaimedJob).claim <= this.#seen
        ? jobs.filter(({ claim }) => claim > this.#seen)
        : jobs
    const last = fresh.at(-1)
    if (last !== undefined) this.#seen = last.claim
    return fresh
  }

  /**
   * Takes a job that was handed over by mail. Undefined where it is known already, and where an earlier one is missing
   * (`isGap`): an exchange that is under way brings that one, and this with it, or the next does.
   */
  receive(claim: number, marked: string): { readonly job?: ClaimedJob; readonly isGap: boolean } {
    if (claim !== this.#seen + 1) return { isGap: claim > this.#seen }
    const found = parseMarked(marked)
    if (found === undefined) return { isGap: true }
    this.#seen = claim
    return { job: { claim, ...found }, isGap: false }
  }

  /** The exact bytes of a claimed job behind their mark, for what is no valid text; undefined if it is another's. */
  async bytes(claim: number): Promise<Buffer | undefined> {
    const { connection, keys, bootId } = this.#scope
    return (await connection.read<Buffer | null>('HGET', [keys.claims(bootId), claim], { buffers: true })) ?? undefined
  }

  /** Takes a slot of a concurrency key for a claim: `taken`, or `gone` if it was parked or is another's by now. */
  async takeSlot(claim: number, name: string, max: number): Promise<'taken' | 'gone'> {
    const { connection, keys, bootId } = this.#scope
    const lists = [keys.slots(name), keys.parked(name), keys.parkedCounts, keys.limits]
    const touched = [keys.claims(bootId), keys.holds(bootId), ...lists]
    const answer = await connection.run<number>(takeSlot, touched, [bootId, claim, name, max])
    return answer === 1 ? 'taken' : 'gone'
  }
}

/** The verdicts come in the order in which the settles were sent: plain ones first, a `+` for all of them. */
function verdictsOf(settles: readonly Settle[], said: string): boolean[] {
  const isWhole = said.startsWith('+')
  let position = isWhole ? 1 : 0
  const verdict = (): boolean => said[position++] === '1'
  const plain = settles.map(({ kind }) => (kind === 'done' ? isWhole || verdict() : undefined))
  return plain.map((known) => known ?? verdict())
}
