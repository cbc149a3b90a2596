// What happens, for those who listen on diagnostics_channel: nothing is made for nobody.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import { type Around, type Carrier, Surroundings } from 'fastify-ah-kit'
import type { Outcome } from './perform.ts'

/** What a subscriber gets of a run; `result` and `error` come from Node, as of any tracing channel. */
export interface JobTrace {
  readonly task: string
  readonly queue: string
  readonly id: string | undefined
  readonly attempt: number
  readonly args: readonly unknown[]
  /** What the job carries: see {@link EnqueueTrace.carrier}. */
  readonly carrier: Carrier | undefined
  /** For subscribers of `start`: has the run take place inside of `around`, in another context for example. */
  readonly surround: (around: Around) => void
  result?: unknown
  error?: unknown
}

/** What a subscriber gets of an enqueue, or of one `enqueueMany`. */
export interface EnqueueTrace {
  /** Of many: their names, each once, with a comma between. */
  readonly task: string
  /** Of many: a list. */
  readonly inputs: unknown
  /**
   * What a subscriber of `start` writes here, texts of 512 characters at most, the job carries along to its run:
   * `traceparent` and `tracestate`. Nothing: it carries nothing.
   */
  readonly carrier: Record<string, string>
  result?: unknown
  error?: unknown
}

/** Of `tracing:fastify-ah-tasks:<name>:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. */
export const traces: Readonly<Record<'job' | 'enqueue', TracingChannel>> = {
  job: tracingChannel('fastify-ah-tasks:job'),
  enqueue: tracingChannel('fastify-ah-tasks:enqueue'),
}

/** Runs a job, told to those who listen. */
export async function tracedRun(job: Omit<JobTrace, 'surround'>, run: () => Promise<Outcome>): Promise<Outcome> {
  const surroundings = new Surroundings()
  const context: JobTrace = { ...job, surround: surroundings.add }
  let outcome: Outcome = { kind: 'failure', error: undefined }
  const told = async (): Promise<unknown> => {
    outcome = await surroundings.run(run)
    if (outcome.kind === 'success') return outcome.result
    throw outcome.kind === 'failure' ? outcome.error : outcome.reason
  }
  // Who listens hears of the error; here it is an outcome like any other.
  await traces.job.tracePromise(told, context).catch(() => undefined)
  return outcome
}
