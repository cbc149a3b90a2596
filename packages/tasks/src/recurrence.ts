// Looks after recurring tasks by hand: plans anew, enqueues, stops.

import type { Definition } from './definition.ts'
import { AH_TASKS_DEFINITION } from './errors.ts'
import { nextTick } from './next-tick.ts'
import type { Parts } from './parts.ts'

export class Recurrence {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** As ActionHero's `enqueueRecurrentTask`: the waiting job goes, the next one comes after one period. */
  async restart(name: string): Promise<void> {
    const { definition, next, now } = await this.#planned(name)
    await this.#removeWaiting(definition)
    await this.#parts.ticks.forget([name])
    const claim = {
      task: name,
      expected: undefined,
      next,
      tick: now,
      queue: definition.queue,
      payload: undefined,
      openMs: 0,
    }
    await this.#parts.ticks.claim(claim)
  }

  /** The recurring tasks whose job was enqueued now. */
  async enqueueAll(): Promise<string[]> {
    const { definitions, enqueues } = this.#parts
    const enqueued: string[] = []
    for (const definition of definitions.all()) {
      if (!isRecurring(definition)) continue
      // No second one while its first waits.
      const waiting = await this.#parts.queues.queued(definition.queue)
      if (waiting.some((job) => job.class === definition.name)) continue
      await enqueues.task(definitions.get(definition.name), {})
      enqueued.push(definition.name)
    }
    return enqueued
  }

  /** Removes its waiting jobs, and its next tick; answers how many jobs. */
  async stop(name: string): Promise<number> {
    const { definition } = await this.#planned(name)
    const removed = await this.#removeWaiting(definition)
    // Planned for a time that does not come: a missing plan would be made anew.
    await this.#parts.ticks.suspend(name)
    return removed
  }

  async #planned(name: string): Promise<{ definition: Definition; next: number; now: number }> {
    const { definition } = this.#parts.definitions.get(name)
    if (!isRecurring(definition)) {
      throw new AH_TASKS_DEFINITION(`the task ${name} does not recur: it has neither frequencyMs nor cron`)
    }
    const { now } = await this.#parts.ticks.read([name])
    return { definition, now, next: nextTick(definition, now) ?? now }
  }

  async #removeWaiting({ queue, name }: Definition): Promise<number> {
    const { queues, planned } = this.#parts
    const removed = await queues.removeTask(queue, name, 0, -1)
    return removed + (await planned.removeScheduled(queue, (job) => job.class === name)).length
  }
}

function isRecurring({ frequencyMs, cron }: Definition): boolean {
  return frequencyMs !== undefined || cron !== undefined
}
