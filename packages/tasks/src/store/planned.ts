// Reads and removes jobs that are planned for later: Resque's lists of seconds, and ours to the millisecond.

import { decodeMarked } from '../mark.ts'
import type { Scope } from '../scope.ts'
import { dropDelayed } from '../scripts/drop-delayed.ts'
import { dropScheduled } from '../scripts/drop-scheduled.ts'
import type { QueuedJob } from '../types.ts'
import { readJob } from './queues.ts'

// Most members that are read at a time.
const page = 500

/** A job of ours with its due time. */
interface Scheduled {
  readonly id: string
  readonly at: number
  readonly job: QueuedJob
}

export class PlannedJobs {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** When a job with this payload is due, in seconds, as Resque counts. */
  async secondsOf(payload: string): Promise<number[]> {
    const { connection, keys } = this.#scope
    const lists = await connection.read<string[]>('SMEMBERS', [keys.timestamps(payload)])
    return lists.map((list) => Number(list.slice(list.lastIndexOf(':') + 1)))
  }

  /** Removes jobs with this payload from all seconds; answers these. */
  async remove(payload: string): Promise<number[]> {
    const { connection, keys } = this.#scope
    const seconds = await connection.run<string[]>(
      dropDelayed,
      [keys.timestamps(payload), keys.delayedSchedule],
      [keys.root, payload],
    )
    return seconds.map(Number)
  }

  /** All times at which something is due, in ms, ascending; ours are rounded to the second they fall into. */
  async timestamps(): Promise<number[]> {
    const { keys } = this.#scope
    const times = new Set<number>()
    for await (const seconds of this.#pages(keys.delayedSchedule))
      for (const [second] of seconds) times.add(Number(second) * 1_000)
    for await (const jobs of this.#pages(keys.scheduled))
      for (const [, at] of jobs) times.add(secondOf(Number(at)) * 1_000)
    return [...times].sort((a, b) => a - b)
  }

  /** The jobs of one second. */
  async at(timestamp: number): Promise<{ tasks: QueuedJob[]; rTimestamp: number }> {
    const { connection, keys } = this.#scope
    const rTimestamp = Math.round(timestamp / 1_000)
    const [bare, ours] = await Promise.all([
      connection.read<string[]>('LRANGE', [keys.delayed(rTimestamp), 0, -1]),
      this.#scheduled(rTimestamp * 1_000 - 500, rTimestamp * 1_000 + 499),
    ])
    return { tasks: [...bare.map(readJob), ...ours.map(({ job }) => job)], rTimestamp }
  }

  /** Everything, by ms; slow where much is planned. */
  async all(): Promise<Record<string, QueuedJob[]>> {
    const found: Record<string, QueuedJob[]> = {}
    for (const timestamp of await this.timestamps()) {
      const { tasks } = await this.at(timestamp)
      found[String(timestamp)] = tasks
    }
    return found
  }

  /** How many jobs are planned. */
  async count(): Promise<number> {
    const { connection, keys } = this.#scope
    let count = await connection.read<number>('ZCARD', [keys.scheduled])
    for await (const seconds of this.#pages(keys.delayedSchedule)) {
      const lengths = seconds.map(([second]) => connection.read<number>('LLEN', [keys.delayed(Number(second))]))
      count += (await Promise.all(lengths)).reduce((sum, length) => sum + length, 0)
    }
    return count
  }

  /** Removes our own jobs of a task that are planned in a queue, with these arguments if given. */
  async removeScheduled(queue: string, isMatch: (job: QueuedJob) => boolean): Promise<number[]> {
    const { connection, keys } = this.#scope
    const doomed = await this.#scheduled('-inf', '+inf', (job) => job.queue === queue && isMatch(job))
    const removed: number[] = []
    for (let at = 0; at < doomed.length; at += page) {
      const batch = doomed.slice(at, at + page)
      const ids = batch.map(({ id }) => id)
      await connection.run(dropScheduled, [keys.scheduled, keys.scheduledJobs], ids)
      removed.push(...batch.map((one) => secondOf(one.at)))
    }
    return removed
  }

  /** Our own jobs of a task in a queue, with their seconds. */
  async scheduledSeconds(queue: string, isMatch: (job: QueuedJob) => boolean): Promise<number[]> {
    const found = await this.#scheduled('-inf', '+inf', (job) => job.queue === queue && isMatch(job))
    return found.map(({ at }) => secondOf(at))
  }

  /** Of very many jobs only those that match are kept in memory. */
  async #scheduled(
    from: number | string,
    to: number | string,
    isMatch: (job: QueuedJob) => boolean = () => true,
  ): Promise<Scheduled[]> {
    const { connection, keys } = this.#scope
    const found: Scheduled[] = []
    for (let offset = 0; ; offset += page) {
      const range = [keys.scheduled, from, to, 'WITHSCORES', 'LIMIT', offset, page]
      const flat = (await connection.read<(string | number)[]>('ZRANGEBYSCORE', range)).flat()
      if (flat.length === 0) return found
      const ids = flat.filter((_, index) => index % 2 === 0).map(String)
      const values = await connection.read<(Buffer | null)[]>('HMGET', [keys.scheduledJobs, ...ids], { buffers: true })
      for (const [index, id] of ids.entries()) {
        const value = values[index]
        const marked = value ? decodeMarked(value) : undefined
        const job = marked && readJob(marked.payload.toString())
        if (job !== undefined && isMatch(job)) found.push({ id, at: Number(flat[index * 2 + 1]), job })
      }
    }
  }

  /** Members of a sorted set with their scores, page by page. */
  async *#pages(key: string): AsyncGenerator<(readonly [string, string])[]> {
    for (let offset = 0; ; offset += page) {
      const range = [key, '-inf', '+inf', 'WITHSCORES', 'LIMIT', offset, page]
      const flat = (await this.#scope.connection.read<(string | number)[]>('ZRANGEBYSCORE', range)).flat()
      if (flat.length === 0) return
      const members: [string, string][] = []
      for (let index = 0; index + 1 < flat.length; index += 2)
        members.push([String(flat[index]), String(flat[index + 1])])
      yield members
    }
  }
}

/** As node-resque rounds. */
function secondOf(ms: number): number {
  return Math.round(ms / 1_000)
}
