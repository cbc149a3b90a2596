// Fetches: tells Redis what is done and takes what is next, in one round trip, one at a time.
import { setTimeout as sleep } from 'node:timers/promises'
import { TickBatch, toError } from 'fastify-ah-kit'
import type { Settle } from './settle.ts'
import type { ClaimedJob, Claims, Exchanged } from './store/claims.ts'
import type { WorkQueues } from './work-queues.ts'

/** Who the jobs are fetched for. */
export interface FetchFor {
  readonly claims: Claims
  readonly queues: WorkQueues
  /** How many jobs there is room for. */
  readonly room: () => number
  readonly hasSuspect: () => boolean
  /** Whether the doorbell would not ring for new jobs just now. */
  readonly isDeaf: () => boolean
  /** Whether the lease was renewed a moment ago. */
  readonly isFresh: () => boolean
  /** Whether a job may be handed to this process if there is none for it now. */
  readonly isIdle: () => boolean
  /** Hears of queues that jobs were left behind in. */
  readonly onLeft: (queues: readonly string[]) => void
  readonly start: (jobs: readonly ClaimedJob[]) => void
  readonly onError: (error: Error, failures: number) => void
}

/** A settle, or only the question for jobs. */
type Ask = Settle | undefined

// Most jobs of one exchange.
const mostJobs = 500
const firstPauseMs = 50
const lastPauseMs = 2_000

/**
 * What has to be settled stays here until Redis has answered: an exchange without an answer is asked again, with the same
 * number and the same settles, for as long as it takes.
 */
export class Fetch {
  readonly #for: FetchFor
  readonly #batch: TickBatch<Ask, boolean>
  readonly #closing = new AbortController()
  #number = 0
  #news: 'none' | 'list' | 'tell' = 'list'
  #isShort = false
  #mayBeOffered = false
  #asked: Promise<boolean> | undefined

  constructor(owner: FetchFor) {
    this.#for = owner
    this.#batch = new TickBatch<Ask, boolean>({
      name: 'exchange',
      send: (asks) => this.#send(asks),
      maxItems: mostJobs,
      sizeOf: (settle) => (settle?.text?.length ?? 0) + (settle?.track?.outcome.length ?? 0),
      serial: true,
    })
  }

  /** Settles a claim; whether it was still ours. Rejects only once this is closed. */
  readonly settle = (settle: Settle): Promise<boolean> => this.#batch.add(settle)

  /** Looks for jobs. `isRefresh`: for new queues too. */
  ask(isRefresh = false): Promise<unknown> {
    if (isRefresh) this.#news = 'list'
    // One question that has not left answers for all who ask.
    this.#asked ??= this.#batch.add(undefined)
    return this.#asked
  }

  /** A job was handed over by mail. */
  receive(claim: number, marked: string): void {
    const { claims, room, start } = this.#for
    const { job, isGap } = claims.receive(claim, marked)
    if (job !== undefined) start([job])
    // With room left it looks for more: whoever hands over does so one at a time.
    if (isGap || (job !== undefined && room() > 0)) void this.ask().catch(ignoreClosed)
  }

  /** Whether the last exchange found fewer jobs than there was room for. */
  get isShort(): boolean {
    return this.#isShort
  }

  /** What is under way is still answered, for at most `ms`; nothing is tried again. */
  async close(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(), ms)
    await this.#batch.close()
    clearTimeout(timer)
    this.#closing.abort()
  }

  async #send(asks: readonly Ask[]): Promise<boolean[]> {
    this.#asked = undefined
    const settles = asks.filter((ask) => ask !== undefined)
    if (settles.length > 0) this.#number += 1
    for (let failures = 0, pause = firstPauseMs; ; pause = Math.min(pause * 2, lastPauseMs)) {
      try {
        const { verdicts } = await this.#exchange(settles)
        let position = 0
        return asks.map((ask) => (ask === undefined ? true : (verdicts[position++] ?? false)))
      } catch (thrown) {
        const error = toError(thrown)
        if (this.#closing.signal.aborted) throw error
        failures += 1
        this.#for.onError(error, failures)
        // Ends early when this is closed; the next try then is the last.
        await sleep(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined)
      }
    }
  }

  async #exchange(settles: readonly Settle[]): Promise<Exchanged> {
    const { claims, queues, room, hasSuspect, isDeaf, isFresh, isIdle, onLeft, start } = this.#for
    const want = Math.min(room(), mostJobs)
    const news = queues.hasStar ? this.#news : 'none'
    this.#news = 'none'
    const isDeafNow = isDeaf()
    const isOffered = isIdle() && want > 0 && queues.offer !== ''
    const stance = isOffered ? 'offer' : this.#mayBeOffered ? 'withdraw' : 'none'
    this.#mayBeOffered ||= isOffered
    const exchanged = await claims.exchange({
      batch: this.#number,
      settles,
      want,
      queues: queues.names,
      mayTakeSuspect: !hasSuspect(),
      wantsPoke: isDeafNow,
      news,
      isFresh: isFresh(),
      stance,
      offerQueues: queues.offer,
    })
    this.#isShort = exchanged.jobs.length < want
    this.#mayBeOffered = isOffered && exchanged.jobs.length === 0
    const fresh = claims.admit(exchanged.jobs)
    if (fresh.length > 0) start(fresh)
    if (!this.#isShort && want > 0) onLeft(queues.names)
    // The doorbell became deaf while this was out: the next one sends the word.
    const isMissed = this.#isShort && !isDeafNow && isDeaf()
    const isNewQueue = exchanged.queues !== undefined && queues.refresh(exchanged.queues)
    // One token woke this process: the others that are idle hear of the queue one by one.
    if (isNewQueue) this.#news = 'tell'
    if ((isMissed || isNewQueue) && !this.#closing.signal.aborted) void this.ask().catch(ignoreClosed)
    return exchanged
  }
}

// Asking is refused only once this is closed: then nobody wants jobs.
function ignoreClosed(): void {}
