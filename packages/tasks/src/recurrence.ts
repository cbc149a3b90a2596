// Looks after recurring tasks by hand: plans anew, enqueues, stops.

import type { Definition } from './definition.ts'
import { AH_TASKS_DEFINITION } from './errors.ts'
import { nextTick } from './next-tick.ts'
import type { Parts } from './parts.ts'
import { claimOf } from './tick-claim.ts'

export class Recurrence {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** As ActionHero's `enqueueRecurrentTask`: the waiting job goes, the next one comes at its next time. */
  async restart(name: string): Promise<void> {
    const { ticks } = this.#parts
    const definition = this.#recurring(name)
    await this.#removeWaiting(definition)
    const { now } = await ticks.read([name])
    await ticks.plan(name, nextTick(definition, now))
  }

  /** The recurring tasks whose job was enqueued now: those that none is under way of. */
  async enqueueAll(): Promise<string[]> {
    const { definitions, ticks } = this.#parts
    const recurring = definitions.all().filter(isRecurring)
    if (recurring.length === 0) return []
    const { next: planned, now } = await ticks.read(recurring.map(({ name }) => name))
    const claimed = await Promise.all(
      recurring.map((task, index) => {
        const times = { expected: planned[index], next: nextTick(task, now) ?? now, tick: now, now, hasJob: true }
        return ticks.claim({ ...claimOf(task, times), isByHand: true })
      }),
    )
    return recurring.filter((_, index) => claimed[index]).map(({ name }) => name)
  }

  /** Removes its waiting jobs, and its next tick; answers how many jobs. */
  async stop(name: string): Promise<number> {
    const definition = this.#recurring(name)
    const removed = await this.#removeWaiting(definition)
    // Planned for a time that does not come: a missing plan would be made anew.
    await this.#parts.ticks.plan(name, undefined)
    return removed
  }

  #recurring(name: string): Definition {
    const { definition } = this.#parts.definitions.get(name)
    if (isRecurring(definition)) return definition
    throw new AH_TASKS_DEFINITION(`the task ${name} does not recur: it has neither frequencyMs nor cron`)
  }

  async #removeWaiting({ queue, name }: Definition): Promise<number> {
    const { queues, planned, ticks } = this.#parts
    const waiting = await queues.removeTask(queue, name, 0, -1)
    const removed = waiting + (await planned.removeScheduled(queue, (job) => job.class === name)).length
    // One that runs goes on, and is waited for.
    if (removed > 0) await ticks.close(name)
    return removed
  }
}

function isRecurring({ frequencyMs, cron }: Definition): boolean {
  return frequencyMs !== undefined || cron !== undefined
}
