// Reads and empties queues, those that dead processes left behind included; pauses and resumes them.

import { decodeMarked } from '../mark.ts'
import type { Scope } from '../scope.ts'
import { dropJobs } from '../scripts/drop-jobs.ts'
import { resumeQueue } from '../scripts/resume-queue.ts'
import type { QueuedJob } from '../types.ts'

// Most jobs that are read at a time.
const page = 500

export class Queues {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
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
    const counts = await this.#lengths(queue)
    const total = counts.reduce((sum, count) => sum + count, 0)
    const first = start < 0 ? Math.max(0, total + start) : start
    const last = Math.min(stop < 0 ? total + stop : stop, total - 1)
    const { connection } = this.#scope
    const texts: string[] = []
    let offset = 0
    for (const [index, key] of this.#lists(queue).entries()) {
      const count = counts[index] ?? 0
      const from = Math.max(first - offset, 0)
      const to = Math.min(last - offset, count - 1)
      for (let at = from; at <= to; at += page) {
        const range = [key, at, Math.min(at + page - 1, to)]
        const items = await connection.read<Buffer[]>('LRANGE', range, { buffers: true })
        texts.push(...items.map((item) => (index < 2 ? (decodeMarked(item)?.payload ?? item) : item).toString()))
      }
      offset += count
    }
    return texts.map(readJob)
  }

  /** Removes jobs with exactly this payload; `count` as in `LREM`. Answers how many. */
  async remove(queue: string, payload: string, count: number): Promise<number> {
    const { connection, keys } = this.#scope
    return connection.write<number>('LREM', [keys.queue(queue), count, payload])
  }

  /** Removes the jobs of a task between two places, both included. Answers how many. */
  async removeTask(queue: string, name: string, start: number, stop: number): Promise<number> {
    const { connection, keys } = this.#scope
    const length = await connection.read<number>('LLEN', [keys.queue(queue)])
    const first = start < 0 ? Math.max(0, length + start) : start
    const last = Math.min(stop < 0 ? length + stop : stop, length - 1)
    let removed = 0
    // From the end, so that what is removed moves nothing that is still to be looked at.
    for (let to = last; to >= first; to -= page) {
      const from = Math.max(first, to - page + 1)
      const texts = await connection.read<string[]>('LRANGE', [keys.queue(queue), from, to])
      const doomed = texts.filter((text) => readJob(text).class === name)
      if (doomed.length === 0) continue
      removed += await connection.run<number>(dropJobs, [keys.queue(queue)], doomed)
    }
    return removed
  }

  /** Removes a queue and all jobs in it. */
  async destroy(queue: string): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.write('UNLINK', [...this.#lists(queue), keys.wake(queue)])
    await connection.write('SREM', [keys.returned, queue])
    await connection.write('SREM', [keys.queues, queue])
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
    if (typeof job === 'object' && job !== null && !Array.isArray(job)) return job as QueuedJob
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
