// Owns the unit of work: a claimed job with all that is needed to run it, which knows how to settle itself.
import { backoffMs } from './backoff.ts'
import type { DefinedTask } from './definitions.ts'
import { encodeFailure } from './failure.ts'
import type { Job } from './job.ts'
import { markFresh } from './mark.ts'
import type { NotRun } from './not-run.ts'
import { type JobMeta, type ParsedPayload, withMeta } from './payload.ts'
import type { Outcome } from './perform.ts'
import { failureText, successText } from './result-text.ts'
import { type Settle, settleExtras } from './settle.ts'
import type { ClaimedJob } from './store/claims.ts'

/** How a settle is sent: resolves to whether the claim was still ours. */
export type SendSettle = (work: Work, settle: Settle) => Promise<boolean>

/** How a work ended, for those who listen. */
export type Ending = 'success' | 'failure' | 'retry' | 'skipped' | 'cancelled' | 'released' | 'lost'

/** Where a work is done. */
export interface WorkPlace {
  readonly workerName: string
  readonly send: SendSettle
}

/**
 * | what came of it | settled as |
 * |---|---|
 * | success | `done`, or `s` if it is tracked or recurring |
 * | failure, tries left | `r`: scheduled again |
 * | failure | `f`: the failed list |
 * | cancelled, or a hook said no | `c` |
 * | a hook said later | `r`: scheduled as it is |
 * | this process stops | `l`: back to the head of its queue |
 * | another has it | not at all |
 */
export class Work {
  readonly claimed: ClaimedJob
  readonly startedAt: number
  readonly #place: WorkPlace
  /** Undefined until it could be read, or for ever. */
  parsed: ParsedPayload | undefined
  #job: Job | undefined
  #abortReason: Error | undefined
  /** In the pool that it runs in; -1: in none. */
  place = -1
  /** Its settle is on the way: that the claim is gone is no news any more. */
  isSettling = false
  /** It takes up a slot of its concurrency key, which its settle frees. */
  holdsSlot = false

  /** `startedAt`: in ms of the monotonic clock. */
  constructor(claimed: ClaimedJob, startedAt: number, place: WorkPlace) {
    this.claimed = claimed
    this.startedAt = startedAt
    this.#place = place
  }

  /** What `run` gets; given up at once if that was said before. */
  begin(job: Job): Job {
    this.#job = job
    if (this.#abortReason !== undefined) job.abort(this.#abortReason)
    return job
  }

  /** Gives the run up, or keeps it from beginning. */
  abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#job?.abort(reason)
  }

  get queue(): string {
    return this.claimed.queue
  }

  get claim(): number {
    return this.claimed.claim
  }

  get isSuspect(): boolean {
    return this.claimed.mark.startsWith('s')
  }

  get wasRecovered(): boolean {
    return !this.claimed.mark.startsWith('f')
  }

  get meta(): JobMeta | undefined {
    return this.parsed?.meta
  }

  get task(): string {
    return this.parsed?.job.class ?? '(unreadable)'
  }

  get attempt(): number {
    return this.meta?.attempt ?? 1
  }

  succeed(result: unknown): Promise<boolean> {
    const { meta } = this
    const isPlain = meta?.track === undefined && meta?.tick === undefined
    if (isPlain && !this.holdsSlot) {
      return this.#send({ claim: this.claim, kind: 'done' })
    }
    return this.#send({
      claim: this.claim,
      kind: 's',
      ...settleExtras(this.task, meta, 'succeeded', meta?.track ? successText(result) : ''),
    })
  }

  /** To the failed list. `payload` is given where the bytes are no valid text. */
  fail(error: unknown, payload: string | Buffer = this.claimed.text): Promise<boolean> {
    const { queue } = this.claimed
    return this.#send({
      claim: this.claim,
      kind: 'f',
      text: encodeFailure({ worker: this.#place.workerName, queue, payload, error }),
      ...settleExtras(this.task, this.meta, 'failed', this.meta?.track ? failureText(error) : ''),
    })
  }

  /** How long to wait before the next try; undefined if there is none. */
  nextTryMs({ definition: { retry } }: DefinedTask): number | undefined {
    return retry !== undefined && this.attempt < retry.attempts ? backoffMs(retry, this.attempt) : undefined
  }

  /** To be tried again in `delayMs`, as the same job. */
  retry(delayMs: number, id: string): Promise<boolean> {
    const { queue, text } = this.claimed
    const meta: JobMeta = {
      ...this.meta,
      v: 1,
      id: this.meta?.id ?? id,
      attempt: this.attempt + 1,
      // It waits from when it is due again.
      ...(this.meta?.at !== undefined && { at: Date.now() + Math.round(delayMs) }),
    }
    return this.#send({
      claim: this.claim,
      kind: 'r',
      text: markFresh(queue, withMeta(text, meta)),
      delayMs,
      id: meta.id,
      ...(meta.track && { track: { id: meta.id, state: 'waiting', outcome: '' } }),
    })
  }

  /** As it is, once more in `delayMs`: a newer release may be there by then. */
  postpone(delayMs: number, id: string): Promise<boolean> {
    const { queue, text } = this.claimed
    return this.#send({ claim: this.claim, kind: 'r', text: markFresh(queue, text), delayMs, id })
  }

  /** A hook said that it is not to run: later, or not at all. */
  leaveOut({ againInMs }: NotRun, id: string): Promise<boolean> {
    return againInMs === undefined ? this.cancel() : this.postpone(againInMs, this.meta?.id ?? id)
  }

  cancel(): Promise<boolean> {
    const { meta } = this
    return this.#send({
      claim: this.claim,
      kind: 'c',
      id: meta?.id ?? '',
      ...settleExtras(this.task, meta, 'cancelled', ''),
    })
  }

  /** Back to the head of its queue, as if it had never been taken. */
  release(): Promise<boolean> {
    const { meta } = this
    return this.#send({
      claim: this.claim,
      kind: 'l',
      ...(meta?.track && { track: { id: meta.id, state: 'waiting', outcome: '' } }),
    })
  }

  #send(settle: Settle): Promise<boolean> {
    this.isSettling = true
    return this.#place.send(this, settle)
  }
}

/** What a work's end is called. */
export function endingOf(outcome: Outcome, isRetried: boolean): Ending {
  if (outcome.kind === 'success') return 'success'
  return isRetried ? 'retry' : 'failure'
}
