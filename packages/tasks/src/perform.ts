// Runs a task once and says what came of it. Knows no Redis.
import { longestTimerMs } from 'fastify-ah-kit'
import type { DefinedTask } from './definitions.ts'
import { AH_TASKS_TIMEOUT } from './errors.ts'
import type { Job } from './job.ts'

/** What came of a run. `given up`: the job's signal was aborted, with the reason. */
export type Outcome =
  | { readonly kind: 'success'; readonly result: unknown }
  | { readonly kind: 'failure'; readonly error: unknown }
  | { readonly kind: 'given up'; readonly reason: Error }

/**
 * Never rejects. A run that does not heed its signal is not waited for: what it answers later is nobody's.
 */
export function perform(
  { definition, checkInputs }: DefinedTask,
  job: Job,
  timeoutMs: number | undefined,
  around?: (run: () => unknown) => unknown,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const end = (outcome: Outcome): void => {
      if (timer !== undefined) clearTimeout(timer)
      resolve(outcome)
    }
    job.onAbort((reason) => {
      // Its time is over: that is a failure of the job. All other reasons are not.
      const isTimeout = reason instanceof AH_TASKS_TIMEOUT
      end(isTimeout ? { kind: 'failure', error: reason } : { kind: 'given up', reason })
    })
    if (job.abortReason !== undefined) return
    if (timeoutMs !== undefined) {
      const giveUp = (): void => job.abort(new AH_TASKS_TIMEOUT(definition.name, timeoutMs))
      // What lies in a queue is nobody's promise: beyond its longest time a timer fires at once.
      timer = setTimeout(giveUp, Math.min(timeoutMs, longestTimerMs))
    }
    const fail = (error: unknown): void => end({ kind: 'failure', error })
    try {
      const run = (): unknown => definition.run(checkInputs(job.args[0]), job)
      const running = around === undefined ? run() : around(run)
      if (isThenable(running)) running.then((result) => end({ kind: 'success', result }), fail)
      else end({ kind: 'success', result: running })
    } catch (error) {
      fail(error)
    }
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
