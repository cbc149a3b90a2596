// Runs a task here and now: no queue, no Redis.
import type { FastifyInstance } from 'fastify'
import type { DefinedTask } from './definitions.ts'
import { AH_TASKS_INPUTS } from './errors.ts'
import { Job } from './job.ts'
import { perform } from './perform.ts'

/** The caller keeps his own. */
function copyOf(inputs: unknown, name: string): unknown {
  try {
    return structuredClone(inputs)
  } catch (cause) {
    throw new AH_TASKS_INPUTS(`the inputs of the task ${name} cannot be copied: ${(cause as Error).message}`, { cause })
  }
}

/** The result; rejects with what the run threw, or with the refusal of its inputs. */
export async function runHere(task: DefinedTask, inputs: unknown, app: FastifyInstance): Promise<unknown> {
  const { definition } = task
  const job = new Job({
    app: definition.app ?? app,
    id: undefined,
    attempt: 1,
    queue: definition.queue,
    args: [inputs === undefined ? {} : copyOf(inputs, definition.name)],
    recovered: false,
    task: definition.name,
    progress: async () => undefined,
  })
  const outcome = await perform(task, job, definition.timeoutMs)
  if (outcome.kind === 'success') return outcome.result
  throw outcome.kind === 'failure' ? outcome.error : outcome.reason
}
