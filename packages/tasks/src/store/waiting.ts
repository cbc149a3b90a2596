// The state "waiting": jobs are put into queues, to seconds and to milliseconds, many of one tick in one script.
import { TickBatch, toError } from 'fastify-ah-kit'
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_REFUSED, type GuardedScript, RepeatGuard } from 'fastify-ah-kit/redis'
import type { Scope } from '../scope.ts'
import { enqueueJob } from '../scripts/enqueue-job.ts'
import { enqueueJobs } from '../scripts/enqueue-jobs.ts'

/** What some jobs carry beside their payload. */
export interface OrderExtras {
  readonly id: string
  /** 0: it is not tracked. */
  readonly trackMs: number
  readonly dedupe?: { readonly key: string; readonly ttlMs: number } | undefined
  /** QueueLock's key: taken in the very step that puts the job, so that no failure leaves it behind. */
  readonly lock?: { readonly key: string; readonly ms: number } | undefined
}

/** When a delayed job is due. */
export type Due = { readonly at: number } | { readonly inMs: number }

/** Where a job is put. */
export interface Order {
  readonly queue: string
  readonly payload: string
  readonly isFront?: boolean
  readonly due?: Due | undefined
  /** Without it the payload is bare: node-resque could have written it. */
  readonly extras?: OrderExtras | undefined
}

/** `put`; `taken`: that second has the job already; `locked`: an earlier job has the lock; or the id of an earlier job. */
export type Ordered = { readonly kind: 'put' | 'taken' | 'locked' } | { readonly kind: 'earlier'; readonly id: string }

const put: Ordered = { kind: 'put' }
const taken: Ordered = { kind: 'taken' }
const locked: Ordered = { kind: 'locked' }

export class Waiting {
  readonly #scope: Scope
  readonly #guard: RepeatGuard
  readonly #batch: TickBatch<Order, Ordered>
  #wasLone = false

  constructor(scope: Scope) {
    this.#scope = scope
    this.#guard = new RepeatGuard(scope.connection)
    this.#batch = new TickBatch<Order, Ordered>({
      name: 'enqueue',
      send: (orders) => this.#send(orders),
      sizeOf: ({ payload }) => payload.length,
      serial: true,
    })
  }

  /** Puts a job; those of one tick keep their order. */
  put(order: Order): Promise<Ordered> {
    const ordered = this.#batch.add(order)
    // Who enqueues one at a time gains nothing from the end of the turn.
    if (this.#wasLone) this.#batch.flush()
    return ordered
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return this.#batch.close()
  }

  async #send(orders: readonly Order[]): Promise<Ordered[]> {
    const { keys, reminder } = this.#scope
    const first = orders[0] as Order
    this.#wasLone = orders.length === 1
    if (this.#wasLone && isSimple(first)) return this.#sendOne(first)
    const words: (string | number)[] = [keys.root]
    // Of each order in the script how many jobs it stands for.
    const counts: number[] = []
    for (let index = 0; index < orders.length; index += 1) {
      const order = orders[index] as Order
      const alike = isPlain(order) ? runLength(orders, index) : 0
      if (alike > 0) {
        words.push('q', order.queue, alike)
        for (let one = index; one < index + alike; one += 1) words.push((orders[one] as Order).payload)
        counts.push(alike)
        index += alike - 1
      } else {
        words.push(...wordsOf(order))
        counts.push(1)
      }
    }
    const touched = [keys.delayedSchedule, keys.scheduledJobs]
    const [woken, answers] = await this.#run<[number, (number | string)[]]>(enqueueJobs, touched, words)
    if (woken > 0) reminder.noteQueues(orders.map(({ queue }) => queue))
    return answers.flatMap((answer, index) => {
      return new Array<Ordered>(counts[index] ?? 1).fill(orderedOf(answer))
    })
  }

  async #sendOne({ queue, payload, isFront, extras }: Order): Promise<Ordered[]> {
    const { keys, reminder } = this.#scope
    const touched = [
      keys.queue(queue),
      keys.returned,
      keys.paused,
      keys.idle('*'),
      keys.idle(queue),
      keys.queues,
      keys.wakeNew,
      keys.wake(queue),
      keys.track(extras?.id ?? ''),
    ]
    const words = [keys.root, queue, payload, isFront === true ? 1 : 0, extras?.trackMs ?? 0]
    const [woken, handed = ''] = (await this.#run<string>(enqueueJob, touched, words)).split(' ')
    if (woken !== '0') reminder.noteQueues([queue])
    if (handed !== '') reminder.noteProcesses([handed])
    return [put]
  }

  async #run<T>(script: GuardedScript, touched: readonly string[], words: readonly (string | number)[]): Promise<T> {
    const { keys } = this.#scope
    try {
      return await this.#guard.run<T>(script, keys.calls, touched, words)
    } catch (thrown) {
      const error = toError(thrown)
      // Redis is away: what waits for its turn would wait as long once more, each batch behind the other.
      if (!(error instanceof AH_KIT_REDIS_REFUSED)) {
        this.#batch.rejectWaiting(new AH_KIT_REDIS_DOWN(script.name, { cause: error }))
      }
      throw error
    }
  }
}

function orderedOf(answer: number | string): Ordered {
  if (answer === 1) return put
  if (answer === 0) return taken
  return answer === -1 ? locked : { kind: 'earlier', id: String(answer) }
}

function isPlain({ extras, due, isFront }: Order): boolean {
  return extras === undefined && due === undefined && isFront !== true
}

/** To be put now, whatever has been put before. */
function isSimple({ extras, due }: Order): boolean {
  return due === undefined && extras?.dedupe === undefined && extras?.lock === undefined
}

/** How many orders from `start` on go to the end of one and the same queue. */
function runLength(orders: readonly Order[], start: number): number {
  const { queue } = orders[start] as Order
  let end = start + 1
  for (; end < orders.length; end += 1) {
    const next = orders[end] as Order
    if (next.queue !== queue || !isPlain(next)) break
  }
  return end - start
}

function wordsOf({ queue, payload, isFront, due, extras }: Order): (string | number)[] {
  const more =
    extras === undefined
      ? ['', 0, '', 0, '', 0]
      : [
          extras.id,
          extras.trackMs,
          extras.dedupe?.key ?? '',
          extras.dedupe?.ttlMs ?? 0,
          extras.lock?.key ?? '',
          extras.lock?.ms ?? 0,
        ]
  if (due === undefined) return ['x', queue, payload, isFront === true ? 1 : 0, ...more]
  if (extras === undefined) return ['d', queue, payload, timeWords(due)]
  return ['s', queue, payload, timeWords(due), ...more]
}

/** How the script is told: `at <ms>` since 1970, or `in <ms>` from now by Redis' clock. */
function timeWords(due: Due): string {
  return 'at' in due ? `at ${Math.max(0, Math.round(due.at))}` : `in ${Math.max(0, Math.round(due.inMs))}`
}
