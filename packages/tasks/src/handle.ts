// Owns what `define` answers: a task that enqueues itself.
import type { FastifyInstance } from 'fastify'
import { checkDefinition } from './definition.ts'
import type { Parts } from './parts.ts'
import { runHere } from './run-here.ts'
import type { Enqueued, EnqueueItem, EnqueueOptions, TaskDefinition } from './types.ts'

/** The inputs, which may be left out where they may be anything. */
type Given<Inputs, More extends readonly unknown[]> = undefined extends Inputs
  ? [inputs?: Inputs, ...more: More]
  : [inputs: Inputs, ...more: More]

/** A defined task. */
export interface TaskHandle<Inputs, Result> {
  readonly name: string
  /** Enqueues a job; see the facade's `enqueue`. */
  enqueue(...job: Given<Inputs, [options?: EnqueueOptions | string]>): Promise<Enqueued | false>
  /** One of `enqueueMany`. */
  item(...job: Given<Inputs, [options?: EnqueueOptions | string]>): EnqueueItem
  /** Here and now, without Redis. */
  run(...job: Given<Inputs, []>): Promise<Awaited<Result>>
}

/** Checks and adds a definition; its handle. Throws `AH_TASKS_DEFINITION`. */
export function defineTask<Inputs, Result, Schema>(
  { definitions, enqueues }: Parts,
  definition: TaskDefinition<Inputs, Result, Schema>,
  app: FastifyInstance,
): TaskHandle<Inputs, Result> {
  const checked = checkDefinition(definition as TaskDefinition<never, unknown>, app)
  definitions.add(checked)
  const task = definitions.get(checked.name)
  const { name } = checked
  const handle: TaskHandle<unknown, unknown> = {
    name,
    enqueue: (inputs, options) => enqueues.task(task, inputs, options),
    item: (inputs, options) => ({ name, inputs, ...(options && { options }) }),
    run: (inputs) => runHere(task, inputs, app),
  }
  return Object.freeze(handle) as TaskHandle<Inputs, Result>
}
