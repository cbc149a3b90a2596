// What happens, for those who listen on diagnostics_channel: nothing is made for nobody.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type { Outcome } from './perform.ts'

/** What a subscriber gets of a run; `result` and `error` come from Node, as of any tracing channel. */
export interface JobTrace {
  readonly task: string
  readonly queue: string
  readonly id: string | undefined
  readonly attempt: number
  readonly args: readonly unknown[]
  result?: unknown
  error?: unknown
}

/** What a subscriber gets of an enqueue. */
export interface EnqueueTrace {
  readonly task: string
  readonly inputs: unknown
  result?: unknown
  error?: unknown
}

/** Of `tracing:fastify-ah-tasks:<name>:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. */
export const traces: Readonly<Record<'job' | 'enqueue', TracingChannel>> = {
  job: tracingChannel('fastify-ah-tasks:job'),
  enqueue: tracingChannel('fastify-ah-tasks:enqueue'),
}

/** Runs a job, told to those who listen. */
export async function tracedRun(context: JobTrace, run: () => Promise<Outcome>): Promise<Outcome> {
  let outcome: Outcome = { kind: 'failure', error: undefined }
  const told = async (): Promise<unknown> => {
    outcome = await run()
    if (outcome.kind === 'success') return outcome.result
    throw outcome.kind === 'failure' ? outcome.error : outcome.reason
  }
  // Who listens hears of the error; here it is an outcome like any other.
  await traces.job.tracePromise(told, context).catch(() => undefined)
  return outcome
}
