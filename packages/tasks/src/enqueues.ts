// Enqueues: from a task's name and inputs to an answer that holds.
import { type Carrier, carrierIn, toError } from 'fastify-ah-kit'
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_UNCERTAIN } from 'fastify-ah-kit/redis'
import { checkMembers, refuse } from './call-check.ts'
import type { DefinedTask, Definitions } from './definitions.ts'
import { Durability } from './durability.ts'
import { type EnqueuePlan, type PlanSettings, planEnqueue } from './enqueue-plan.ts'
import { AH_TASKS_DUPLICATE } from './errors.ts'
import type { Hooks } from './hooks.ts'
import type { JobEvents } from './job-events.ts'
import type { DurabilityOptions } from './options.ts'
import { parsePayload } from './payload.ts'
import type { Scope } from './scope.ts'
import { type Order, type Ordered, Waiting } from './store/waiting.ts'
import type { TaskHooks } from './task-hooks.ts'
import { type EnqueueTrace, traces } from './traces.ts'
import type { Enqueued, EnqueueItem, EnqueueOptions, LaterJob } from './types.ts'
import type { WaitSamples, Watched } from './watched.ts'

/** What it works with. */
export interface EnqueuesOptions {
  readonly scope: Scope
  readonly definitions: Definitions
  readonly hooks: Hooks
  readonly durability: DurabilityOptions | undefined
  readonly events: JobEvents
  readonly samples: WaitSamples
}

/** What came of an enqueue between hooks. */
interface Hooked {
  readonly plan: EnqueuePlan
  readonly answer: Ordered
}

export class Enqueues {
  readonly #scope: Scope
  readonly #definitions: Definitions
  readonly #waiting: Waiting
  readonly #durability: Durability | undefined
  readonly #hooks: Hooks
  readonly #events: JobEvents
  readonly #samples: WaitSamples

  constructor({ scope, definitions, hooks, durability, events, samples }: EnqueuesOptions) {
    this.#events = events
    this.#samples = samples
    this.#scope = scope
    this.#definitions = definitions
    this.#hooks = hooks
    this.#waiting = new Waiting(scope)
    this.#durability = durability && new Durability(scope, durability)
  }

  /** The text is ActionHero's third argument: the name of a queue. */
  async byName(name: string, inputs: unknown, options: EnqueueOptions | string = {}): Promise<Enqueued | false> {
    return this.task(this.#definitions.get(name), inputs, options)
  }

  task(task: DefinedTask, inputs: unknown, options: EnqueueOptions | string = {}): Promise<Enqueued | false> {
    if (!traces.enqueue.hasSubscribers) return this.#confirmed(task, inputs, options)
    const context: EnqueueTrace = { task: task.definition.name, inputs, carrier: {} }
    // Subscribers of `start` have written into the carrier by the time this runs.
    return traces.enqueue.tracePromise(
      () => this.#confirmed(task, inputs, options, carrierIn(context.carrier)),
      context,
    )
  }

  async #confirmed(
    task: DefinedTask,
    inputs: unknown,
    options: EnqueueOptions | string,
    carrier?: Carrier,
  ): Promise<Enqueued | false> {
    const enqueued = await this.#put(task, inputs, options, carrier)
    if (enqueued === false) return false
    await this.#durability?.confirm()
    return enqueued
  }

  /** Many in few round trips. All are checked before the first is sent. */
  async many(items: readonly EnqueueItem[]): Promise<(Enqueued | false)[]> {
    if (!Array.isArray(items)) refuse('enqueueMany', 'a list of { name, inputs, options }', items)
    for (const item of items) checkMembers('an item of enqueueMany', item, ['name', 'inputs', 'options'])
    if (!traces.enqueue.hasSubscribers) return this.#many(items)
    const task = [...new Set(items.map(({ name }) => name))].join(', ')
    const context: EnqueueTrace = { task, inputs: items.map(({ inputs }) => inputs), carrier: {} }
    return traces.enqueue.tracePromise(() => this.#many(items, carrierIn(context.carrier)), context)
  }

  async #many(items: readonly EnqueueItem[], carrier?: Carrier): Promise<(Enqueued | false)[]> {
    const tasks = items.map(({ name }) => this.#definitions.get(name))
    const plans = items.map(({ inputs, options }, index) => {
      const task = tasks[index] as DefinedTask
      // Those with hooks are planned again behind them.
      const watched = this.#hooks.of(task.definition) === undefined ? this.#watched(carrier) : undefined
      return this.#plan(task, inputs, optionsOf(options), watched)
    })
    const answers = await together(
      plans.map((plan, index): Promise<Ordered | Hooked | undefined> => {
        const task = tasks[index] as DefinedTask
        if (this.#hooks.of(task.definition) === undefined) return this.#waiting.put(plan.order)
        return this.#hooked(task, items[index]?.inputs, optionsOf(items[index]?.options), carrier)
      }),
    )
    await this.#durability?.confirm()
    return answers.map((answer, index) => {
      if (answer === undefined) return false
      const { name, inputs } = items[index] as EnqueueItem
      if ('plan' in answer) return this.#noted(name, inputs, answer.answer, answer.plan)
      return this.#noted(name, inputs, answer, plans[index] as EnqueuePlan)
    })
  }

  /** A job that is put as it is, past all hooks. */
  put(order: Order): Promise<Ordered> {
    return this.#waiting.put(order)
  }

  /** As ActionHero's `enqueueAt` and `enqueueIn`: that second has the same job already is false, or an error. */
  async later(
    time: Pick<EnqueueOptions, 'at' | 'delayMs'>,
    [name, inputs, options = {}, isSuppressed = false]: LaterJob,
  ): Promise<Enqueued | false> {
    if (time.at === undefined && time.delayMs === undefined)
      refuse('the time', 'ms, or a Date for enqueueAt', undefined)
    try {
      return await this.byName(name, inputs, { ...optionsOf(options), ...time })
    } catch (error) {
      if (isSuppressed && error instanceof AH_TASKS_DUPLICATE) return false
      throw error
    }
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return this.#waiting.close()
  }

  async #put(
    task: DefinedTask,
    inputs: unknown,
    options: EnqueueOptions | string,
    carrier: Carrier | undefined,
  ): Promise<Enqueued | false> {
    const given = optionsOf(options)
    if (this.#hooks.of(task.definition) !== undefined) {
      const hooked = await this.#hooked(task, inputs, given, carrier)
      return hooked === undefined ? false : this.#told(task, inputs, hooked.answer, hooked.plan)
    }
    const plan = this.#plan(task, inputs, given, this.#watched(carrier))
    return this.#told(task, inputs, await this.#waiting.put(plan.order), plan)
  }

  #plan(
    task: DefinedTask,
    inputs: unknown,
    options: EnqueueOptions,
    watched: Watched | undefined,
    lockOf?: PlanSettings['lockOf'],
  ): EnqueuePlan {
    return planEnqueue(task, inputs, options, { trackMs: this.#scope.trackMs, watched, lockOf })
  }

  #watched(carrier: Carrier | undefined): Watched {
    return { carrier, samples: this.#samples }
  }

  #told(task: DefinedTask, inputs: unknown, answer: Ordered, plan: EnqueuePlan): Enqueued | false {
    const { name } = task.definition
    if (answer.kind === 'taken') throw new AH_TASKS_DUPLICATE(name)
    return this.#noted(name, inputs, answer, plan)
  }

  #noted(task: string, inputs: unknown, answer: Ordered, { order, id }: EnqueuePlan): Enqueued | false {
    if (answer.kind === 'put') this.#events.enqueue(task, order.queue, id, inputs)
    return answerOf(answer, order.queue, id)
  }

  /** Between its hooks; undefined if one of them said no. */
  async #hooked(
    task: DefinedTask,
    inputs: unknown,
    options: EnqueueOptions,
    carrier: Carrier | undefined,
  ): Promise<Hooked | undefined> {
    const hooks = this.#hooks.of(task.definition) as TaskHooks
    // What is wrong with the inputs is said before any hook is asked; hooks then see them checked, and may change them.
    const { order } = this.#plan(task, inputs, options, undefined)
    const args = [...parsePayload(order.payload).args]
    if (!(await hooks.beforeEnqueue(order.queue, args))) return undefined
    const plan = this.#plan(task, args[0], options, this.#watched(carrier), hooks.queueLock)
    const answer = await this.#waiting.put(plan.order)
    if (answer.kind === 'put') await hooks.afterEnqueue(order.queue, args)
    return { plan, answer }
  }
}

/**
 * The answers of all. They leave in several scripts: that Redis was down, so that nothing was done, is only said where it
 * holds for every one of them.
 */
async function together<T>(answers: readonly Promise<T>[]): Promise<T[]> {
  const from = performance.now()
  try {
    return await Promise.all(answers)
  } catch {
    // One of several errors, the one that came first: here it is not the first one that counts.
    const settled = await Promise.allSettled(answers)
    const errors = settled.filter((one) => one.status === 'rejected').map(({ reason }) => toError(reason))
    const other = errors.find((error) => !(error instanceof AH_KIT_REDIS_DOWN))
    if (other !== undefined) throw other
    const [cause] = errors
    if (errors.length === settled.length) throw cause
    throw new AH_KIT_REDIS_UNCERTAIN('enqueueMany', Math.round(performance.now() - from), { cause })
  }
}

/** A text is the name of a queue, as in ActionHero. */
function optionsOf(options: EnqueueOptions | string = {}): EnqueueOptions {
  return typeof options === 'string' ? { queue: options } : options
}

function answerOf(
  answer: { readonly kind: string; readonly id?: string },
  queue: string,
  id: string | undefined,
): Enqueued | false {
  if (answer.kind === 'locked') return false
  if (answer.kind === 'earlier' && answer.id !== undefined) return { id: answer.id, queue, isDuplicate: true }
  if (answer.kind === 'taken') return { queue, isDuplicate: true }
  return id === undefined ? { queue } : { id, queue }
}
