// Enqueues: from a task's name and inputs to an answer that holds.
import type { DefinedTask, Definitions } from './definitions.ts'
import { Durability } from './durability.ts'
import { planEnqueue } from './enqueue-plan.ts'
import { AH_TASKS_DUPLICATE } from './errors.ts'
import type { DurabilityOptions } from './options.ts'
import type { Scope } from './scope.ts'
import { Waiting } from './store/waiting.ts'
import type { Enqueued, EnqueueItem, EnqueueOptions } from './types.ts'

export class Enqueues {
  readonly #scope: Scope
  readonly #definitions: Definitions
  readonly #waiting: Waiting
  readonly #durability: Durability | undefined

  constructor(scope: Scope, definitions: Definitions, durability: DurabilityOptions | undefined) {
    this.#scope = scope
    this.#definitions = definitions
    this.#waiting = new Waiting(scope)
    this.#durability = durability && new Durability(scope, durability)
  }

  /** The text is ActionHero's third argument: the name of a queue. */
  async byName(name: string, inputs: unknown, options: EnqueueOptions | string = {}): Promise<Enqueued> {
    return this.task(this.#definitions.get(name), inputs, options)
  }

  async task(task: DefinedTask, inputs: unknown, options: EnqueueOptions | string = {}): Promise<Enqueued> {
    const enqueued = await this.#put(task, inputs, options)
    await this.#durability?.confirm()
    return enqueued
  }

  /** Many in few round trips. All are checked before the first is sent. */
  async many(items: readonly EnqueueItem[]): Promise<Enqueued[]> {
    const tasks = items.map(({ name }) => this.#definitions.get(name))
    const plans = items.map(({ inputs, options }, index) =>
      planEnqueue(tasks[index] as DefinedTask, inputs, options ?? {}, this.#scope.trackMs),
    )
    const answers = await Promise.all(plans.map(({ order }) => this.#waiting.put(order)))
    await this.#durability?.confirm()
    return answers.map((answer, index) => {
      const { order, id } = plans[index] as (typeof plans)[number]
      return answerOf(answer, order.queue, id)
    })
  }

  /** As ActionHero's `enqueueAt` and `enqueueIn`: that second has the same job already is false, or an error. */
  async later(
    name: string,
    inputs: unknown,
    options: EnqueueOptions | string,
    time: Pick<EnqueueOptions, 'at' | 'delayMs'>,
    isSuppressed: boolean,
  ): Promise<Enqueued | false> {
    const given = typeof options === 'string' ? { queue: options } : options
    try {
      return await this.byName(name, inputs, { ...given, ...time })
    } catch (error) {
      if (isSuppressed && error instanceof AH_TASKS_DUPLICATE) return false
      throw error
    }
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return this.#waiting.close()
  }

  async #put(task: DefinedTask, inputs: unknown, options: EnqueueOptions | string): Promise<Enqueued> {
    const given = typeof options === 'string' ? { queue: options } : options
    const { order, id } = planEnqueue(task, inputs, given, this.#scope.trackMs)
    const answer = await this.#waiting.put(order)
    if (answer.kind === 'taken') throw new AH_TASKS_DUPLICATE(task.definition.name)
    return answerOf(answer, order.queue, id)
  }
}

function answerOf(
  answer: { readonly kind: string; readonly id?: string },
  queue: string,
  id: string | undefined,
): Enqueued {
  if (answer.kind === 'earlier' && answer.id !== undefined) return { id: answer.id, queue, isDuplicate: true }
  if (answer.kind === 'taken') return { queue, isDuplicate: true }
  return id === undefined ? { queue } : { id, queue }
}
