// Enqueues the jobs of recurring tasks: each tick once in the cluster, missed ones once together.
import type { Definition } from './definition.ts'
import type { EventLog } from './event-log.ts'
import { nextTick } from './next-tick.ts'
import type { Ticks } from './store/ticks.ts'
import { claimOf } from './tick-claim.ts'

export class Recurring {
  readonly #tasks: readonly Definition[]
  readonly #ticks: Ticks
  readonly #log: EventLog
  #hasPruned = false

  constructor(definitions: readonly Definition[], ticks: Ticks, log: EventLog) {
    this.#tasks = definitions.filter((definition) => nextTick(definition, 0) !== undefined)
    this.#ticks = ticks
    this.#log = log
  }

  /** One round; answers ms until the next tick, or undefined if nothing recurs. Only for who leads. */
  async round(): Promise<number | undefined> {
    if (!this.#hasPruned) await this.#prune()
    if (this.#tasks.length === 0) return undefined
    const { next, now } = await this.#ticks.read(this.#tasks.map(({ name }) => name))
    let soonest: number | undefined
    for (const [index, task] of this.#tasks.entries()) {
      const planned = await this.#plan(task, next[index], now)
      if (planned !== undefined && (soonest === undefined || planned < soonest)) soonest = planned
    }
    return soonest === undefined ? undefined : Math.max(0, soonest - now)
  }

  /** The next tick of a task; the one that has come is claimed. */
  async #plan(task: Definition, planned: number | undefined, now: number): Promise<number | undefined> {
    const { name, queue, frequencyMs } = task
    const following = nextTick(task, now)
    if (following === undefined || planned === Number.POSITIVE_INFINITY) return undefined
    // A plan beyond the next tick, or for what is no tick, comes from a definition that has changed since.
    const isFirst = planned === undefined || planned > following || nextTick(task, planned - 1) !== planned
    if (!isFirst && planned > now) return planned
    // As in ActionHero, what recurs by frequency runs when it is first seen, too; cron has its times.
    const isDue = !isFirst || (frequencyMs !== undefined && planned === undefined)
    const tick = planned ?? now
    const claim = claimOf(task, { expected: planned, next: following, tick, now, hasJob: isDue })
    if (await this.#ticks.claim(claim)) {
      this.#log.write('scheduler.enqueue', () => ({ task: name, queue, tick }), 'a recurring task was enqueued')
    }
    return following
  }

  /** Tasks that this release no longer has, or that no longer recur. */
  async #prune(): Promise<void> {
    const wanted = new Set(this.#tasks.map(({ name }) => name))
    const gone = (await this.#ticks.tasks()).filter((name) => !wanted.has(name))
    if (gone.length > 0) await this.#ticks.forget(gone)
    this.#hasPruned = true
  }
}
