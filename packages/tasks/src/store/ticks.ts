// The ticks of recurring tasks: when each is next, and whose claim counts.

import type { Scope } from '../scope.ts'
import { claimTick } from '../scripts/claim-tick.ts'

/** What is asked for. */
export interface TickClaim {
  readonly task: string
  /** As it was read; undefined for none, Infinity for one that never comes. */
  readonly expected: number | undefined
  readonly next: number
  /** What the job is of. */
  readonly tick: number
  readonly queue: string
  /** Undefined: only planned, no job. */
  readonly payload: string | undefined
  /** For how long an unfinished job of an earlier tick keeps later ones from being enqueued, in ms. */
  readonly openMs: number
  /** A user wants it: also where another process leads. Default false. */
  readonly isByHand?: boolean
}

// Stands for a tick that never comes.
const suspended = 'stopped'

export class Ticks {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** The next tick of each task that has one, and Redis' time, in ms. */
  async read(
    tasks: readonly string[],
  ): Promise<{ readonly next: readonly (number | undefined)[]; readonly now: number }> {
    const { connection, keys } = this.#scope
    const [texts, [seconds, micros]] = await Promise.all([
      connection.read<(string | null)[]>('HMGET', [keys.ticks, ...tasks]),
      connection.call({
        name: 'TIME',
        isWrite: false,
        send: (client) => client.time() as Promise<[number | string, number | string]>,
      }),
    ])
    const next = texts.map((text) =>
      text === null ? undefined : text === suspended ? Number.POSITIVE_INFINITY : Number(text),
    )
    return { next, now: Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) }
  }

  /** Whether it was claimed here, and its job enqueued. */
  async claim({ task, expected, next, tick, queue, payload = '', openMs, isByHand }: TickClaim): Promise<boolean> {
    const { connection, keys, workerName, reminder } = this.#scope
    const touched = [keys.leader, keys.ticks, keys.openTicks]
    const was = expected === Number.POSITIVE_INFINITY ? suspended : (expected ?? '')
    const words = [keys.root, workerName, task, was, next, tick, queue, payload, openMs, isByHand ? 1 : 0]
    const isEnqueued = (await connection.run<number>(claimTick, touched, words)) === 1
    if (isEnqueued) reminder.noteQueues([queue])
    return isEnqueued
  }

  /** Forgets tasks: their next tick is planned anew, or never. */
  async forget(tasks: readonly string[]): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.write('HDEL', [keys.ticks, ...tasks])
    await connection.write('HDEL', [keys.openTicks, ...tasks])
  }

  /** Whatever was planned, the next tick comes at `next`, in ms; undefined: none comes until one is planned. */
  async plan(task: string, next: number | undefined): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.write('HSET', [keys.ticks, task, next ?? suspended])
  }

  /** The job of a task's last tick is gone: it keeps no later one from being enqueued. */
  async close(task: string): Promise<void> {
    const { connection, keys } = this.#scope
    await connection.write('HDEL', [keys.openTicks, task])
  }

  /** The tasks that have a next tick. */
  tasks(): Promise<string[]> {
    const { connection, keys } = this.#scope
    return connection.read<string[]>('HKEYS', [keys.ticks])
  }
}
