// Jobs through an outage: what was acknowledged runs, once where Redis keeps its data, and has one recorded end.
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from 'fastify-ah-test-support'
import { Ledger } from '../ledger.ts'
import { type Pair, type Queues, tasksOf } from '../pair.ts'
import type { Probe } from '../probe.ts'
import { SpanningJob } from './spanning-job.ts'

/** Which jobs. */
export interface JobsOptions {
  readonly subject: string
  readonly queues: Queues
  /** How long a job works, in ms. */
  readonly jobMs: number
  readonly lanes: number
  readonly pauseMs: number
  /** One job more, which begins before the outage and ends behind it. */
  readonly isSpanned?: boolean
}

const ranWithinMs = 3_000
// What a dead claim may take until it is found: the lease, one more for all after an outage, the sweep.
const settledWithinMs = 20_000

export function jobsProbe({ a, b }: Pair, options: JobsOptions): Probe {
  const { subject, queues, jobMs, lanes, pauseMs } = options
  const ledger = new Ledger()
  const run = async (n: number) => {
    await sleep(jobMs)
    ledger.see(n)
  }
  for (const app of [a, b])
    tasksOf(app, queues).define({ name: 'count', run: run as (inputs: unknown) => Promise<void> })
  const spanning = options.isSpanned ? new SpanningJob(tasksOf(a, queues), [a, b], queues) : undefined
  return {
    subject,
    lanes,
    pauseMs,
    begin: async () => spanning?.begin(),
    async step(n) {
      try {
        await ledger.ask(n, tasksOf(a, queues).enqueue('count', n))
      } catch (error) {
        // It is enqueued, and may be lost: it has to run in its time, and is missed by nobody if it never does.
        if ((error as { code?: string }).code !== 'AH_TASKS_NOT_DURABLE') throw error
      }
      await ledger.arrival(n, jobMs + ranWithinMs)
    },
    async settle() {
      const wrong: string[] = []
      const tasks = tasksOf(a, queues)
      const isDone = async () => ledger.missing().length === 0 && (await tasks.length('default')) === 0
      await until(isDone, { deadlineMs: settledWithinMs }).catch(() => undefined)
      const spanned = (await spanning?.end()) ?? { ran: 0, doubled: 0, wrong: [] }
      wrong.push(...spanned.wrong)
      const expected = ledger.seen + spanned.ran
      const recorded = async () => Number((await tasks.stats())['processed'])
      await until(async () => (await recorded()) === expected, { deadlineMs: 5_000 }).catch(() => undefined)
      if ((await recorded()) > expected) wrong.push(`${await recorded()} ends are recorded of ${expected} jobs`)
      if ((await tasks.failedCount()) > 0) wrong.push(`${await tasks.failedCount()} failed`)
      if (ledger.ghosts() > 0) wrong.push(`${ledger.ghosts()} ran, and were said to be not enqueued`)
      return { lost: ledger.missing().length, doubled: ledger.doubled() + spanned.doubled, wrong }
    },
  }
}
