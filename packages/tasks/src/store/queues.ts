// Reads and empties queues, those that dead processes left behind included; pauses and resumes them.

import { randomUUID } from 'node:crypto'
import { RepeatGuard } from 'fastify-ah-kit/redis'
import { decodeMarked } from '../mark.ts'
import { waitsSince } from '../payload.ts'
import type { Scope } from '../scope.ts'
import { dropItems } from '../scripts/drop-items.ts'
import { dropJobs } from '../scripts/drop-jobs.ts'
import { dropQueue } from '../scripts/drop-queue.ts'
import { findMarked } from '../scripts/find-marked.ts'
import { resumeQueue } from '../scripts/resume-queue.ts'
import type { QueuedJob, WaitingQueue } from '../types.ts'

// Most jobs that are read at a time.
const page = 500
// How far a queue is looked through for a job that carries its time: Redis does nothing else meanwhile.
const mostLooked = 1_000
const mostLookedBytes = 262_144

// More than any list has.
const everything = Number.MAX_SAFE_INTEGER

/** A part of a list, both ends included; `isMarked`: of a list of ours. */
interface ListPart {
  readonly key: string
  readonly isMarked: boolean
  readonly from: number
  readonly to: number
}

export class Queues {
  readonly #scope: Scope
  readonly #guard: RepeatGuard

  constructor(scope: Scope) {
    this.#scope = scope
    this.#guard = new RepeatGuard(scope.connection)
  }

  async names(): Promise<string[]> {
    const { connection, keys } = this.#scope
    return (await connection.read<string[]>('SMEMBERS', [keys.queues])).sort()
  }

  /** How many jobs wait, suspects and those that were recovered included; parked ones not. */
  async length(queue: string): Promise<number> {
    return (await this.#lengths(queue)).reduce((sum, count) => sum + count, 0)
  }

  /** The jobs from `start` to `stop`, as in `LRANGE`; those that dead processes left come first, as they are served. */
  async queued(queue: string, start = 0, stop = -1): Promise<QueuedJob[]> {
    const { connection } = this.#scope
    const texts: string[] = []
    for (const { key, isMarked, from, to } of await this.#parts(queue, start, stop)) {
      for (let at = from; at <= to; at += page) {
        const range = [key, at, Math.min(at + page - 1, to)]
        const items = await connection.read<Buffer[]>('LRANGE', range, { buffers: true })
        texts.push(...items.map((item) => (isMarked ? (decodeMarked(item)?.payload ?? item) : item).toString()))
      }
    }
    return texts.map(readJob)
  }

  /** Removes jobs of this bare payload, also those with a member of ours; `count` as in `LREM`. Answers how many. */
  async remove(queue: string, payload: string, count: number): Promise<number> {
    const { keys } = this.#scope
    const removed = await this.#guard.run<number>(dropItems, keys.calls, [keys.queue(queue)], [count, payload])
    const most = count === 0 ? everything : Math.abs(count)
    const what = { kind: 'bytes', what: payload.slice(0, -1) } as const
    return removed + (await this.#drop(queue, what, { start: 0, stop: -1, most: most - removed }))
  }

  /** Removes the jobs of a task between two places, both included, as {@link queued} counts them. Answers how many. */
  removeTask(queue: string, name: string, start: number, stop: number): Promise<number> {
    return this.#drop(queue, { kind: 'class', what: name }, { start, stop, most: everything })
  }

  /** Removes a queue and all jobs in it. */
  async destroy(queue: string): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.run(dropQueue, [keys.queues, keys.returned, ...this.#lists(queue), keys.wake(queue)], [queue])
  }

  /** Nobody takes from it until {@link resume}; what runs goes on. */
  async pause(queue: string): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.write('SADD', [keys.paused, queue])
  }

  async resume(queue: string): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.run(resumeQueue, [keys.paused], [keys.root, queue])
  }

  /** All queues with what waits in them. */
  async details(): Promise<Record<string, { length: number; parked: number; paused: boolean }>> {
    const { connection, keys } = this.#scope
    const [names, parked, paused] = await Promise.all([
      this.names(),
      connection.read<string[] | Record<string, string>>('HGETALL', [keys.parkedCounts]),
      connection.read<string[]>('SMEMBERS', [keys.paused]),
    ])
    const counts = pairs(parked)
    const isPaused = new Set(paused)
    const lengths = await Promise.all(names.map((name) => this.length(name)))
    return Object.fromEntries(
      names.map((name, index) => [
        name,
        { length: lengths[index] ?? 0, parked: Number(counts.get(name) ?? 0), paused: isPaused.has(name) },
      ]),
    )
  }

  async #drop(
    queue: string,
    { kind, what }: { readonly kind: 'class' | 'bytes'; readonly what: string },
    { start, stop, most }: { readonly start: number; readonly stop: number; readonly most: number },
  ): Promise<number> {
    const { keys } = this.#scope
    const grave = `removed ${randomUUID()}`
    let left = most
    // From the end, so that what is removed, or taken from the head, moves nothing that is still to be looked at.
    for (const { key, isMarked, from, to } of (await this.#parts(queue, start, stop)).toReversed()) {
      for (let last = to; last >= from && left > 0; last -= page) {
        const words = [Math.max(from, last - page + 1), last, kind, what, isMarked ? 1 : 0, left, grave]
        left -= await this.#guard.run<number>(dropJobs, keys.calls, [key], words)
      }
    }
    return most - left
  }

  /** Which parts of which lists stand between two places of a queue, both included; negative ones count from the end. */
  async #parts(queue: string, start: number, stop: number): Promise<ListPart[]> {
    const counts = await this.#lengths(queue)
    const total = counts.reduce((sum, count) => sum + count, 0)
    const first = start < 0 ? Math.max(0, total + start) : start
    const last = Math.min(stop < 0 ? total + stop : stop, total - 1)
    let offset = 0
    return this.#lists(queue).map((key, index) => {
      const count = counts[index] ?? 0
      const part = {
        key,
        isMarked: index < 2,
        from: Math.max(first - offset, 0),
        to: Math.min(last - offset, count - 1),
      }
      offset += count
      return part
    })
  }

  /** All queues with what waits in them, and for how long its oldest job has waited, as far as jobs carry their time. */
  async waiting(): Promise<Record<string, WaitingQueue>> {
    const queues = Object.entries(await this.details())
    const oldest = await Promise.all(
      queues.map(([name, { length }]) => (length === 0 ? undefined : this.#oldest(name))),
    )
    return Object.fromEntries(queues.map(([name, counts], index) => [name, { ...counts, oldestMs: oldest[index] }]))
  }

  async #oldest(queue: string): Promise<number | undefined> {
    const { connection } = this.#scope
    const found = await connection.run<string | null>(
      findMarked,
      [...this.#lists(queue)],
      [mostLooked, mostLookedBytes],
    )
    const at = found === null ? undefined : waitsSince(found)
    return at === undefined ? undefined : Math.max(0, Date.now() - at)
  }

  #lists(queue: string): readonly [string, string, string] {
    const { keys } = this.#scope
    return [keys.suspects(queue), keys.recovered(queue), keys.queue(queue)]
  }

  #lengths(queue: string): Promise<number[]> {
    const { connection } = this.#scope
    return Promise.all(this.#lists(queue).map((key) => connection.read<number>('LLEN', [key])))
  }
}

/** A job as it lies there. What is no JSON is shown as it is. */
export function readJob(text: string): QueuedJob {
  try {
    const job: unknown = JSON.parse(text)
    if (typeof job === 'object' && job !== null && !Array.isArray(job)) {
      const { args } = job as { args?: unknown }
      // Whoever looks at a list of arguments finds one, whatever was put there.
      return Array.isArray(args) ? (job as QueuedJob) : ({ ...job, args: [], raw: text } as unknown as QueuedJob)
    }
  } catch {
    // Its worker will say what is wrong with it; who looks at the queue sees the bytes.
  }
  return { class: '', queue: '', args: [], raw: text }
}

function pairs(answer: string[] | Record<string, string>): Map<string, string> {
  if (!Array.isArray(answer)) return new Map(Object.entries(answer))
  const found = new Map<string, string>()
  for (let index = 0; index + 1 < answer.length; index += 2)
    found.set(answer[index] as string, answer[index + 1] as string)
  return found
}
