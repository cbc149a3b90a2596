// One job that begins before an outage and ends behind it, and whose end is waited for.
import type { FastifyInstance } from 'fastify'
import type { Tasks } from 'fastify-ah-tasks'
import { until } from 'fastify-ah-test-support'
import { type Queues, tasksOf } from '../pair.ts'

const answer = 'done'

export class SpanningJob {
  readonly #tasks: Tasks
  #runs = 0
  #release: () => void = () => undefined
  readonly #released = new Promise<void>((resolve) => {
    this.#release = resolve
  })

  constructor(tasks: Tasks, apps: readonly FastifyInstance[], queues: Queues) {
    this.#tasks = tasks
    const run = async () => {
      this.#runs += 1
      await this.#released
      return answer
    }
    for (const app of apps) tasksOf(app, queues).define({ name: 'span', run })
  }

  async begin(): Promise<void> {
    await this.#tasks.enqueue('span', {}, { id: 'span', track: true })
    await until(() => this.#runs > 0, { what: 'the spanning job runs' })
  }

  /** Lets it end. */
  async end(): Promise<{ ran: number; doubled: number; wrong: string[] }> {
    this.#release()
    const outcome = await this.#tasks.waitFor('span', { timeoutMs: 15_000 }).catch((error: Error) => error)
    const wrong = outcome === answer ? [] : [`the job that spans the outage: ${String(outcome)}`]
    return { ran: outcome === answer ? 1 : 0, doubled: this.#runs - 1, wrong }
  }
}
