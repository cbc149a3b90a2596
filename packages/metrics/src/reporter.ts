// Tells the primary the numbers of this process: again and again, when it asks, and at the end.
import type { FastifyBaseLogger } from 'fastify'
import { Loop, type ReportLine } from 'fastify-ah-kit'
import type { Registry } from 'prom-client'
import type { Fitness } from './fitness.ts'

/** What it works with. */
export interface ReporterOptions {
  readonly line: ReportLine
  readonly registry: Registry
  readonly fitness: Fitness
  readonly reportMs: number
  readonly log: FastifyBaseLogger
}

export class Reporter {
  readonly #options: ReporterOptions
  readonly #loop: Loop

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#loop = new Loop({
      name: 'metrics report',
      step: async () => {
        await this.#report()
        return options.reportMs
      },
      onError: (err, failures) => {
        // A gauge of the app's own that throws, most likely: it will do so each time.
        options.log[failures === 1 ? 'warn' : 'debug']({ err }, 'the metrics could not be told to the primary')
      },
    })
    options.line.onAsked(() => this.#loop.wake())
  }

  start(): void {
    this.#loop.start()
  }

  /** Tells what was counted last. Never rejects. */
  async stop(): Promise<void> {
    await this.#loop.stop()
    try {
      await this.#report()
    } catch (err) {
      this.#options.log.warn({ err }, 'what was counted last could not be told to the primary')
    }
  }

  async #report(): Promise<void> {
    const { line, registry, fitness } = this.#options
    const failed = await fitness.look()
    await line.send({ worker: line.worker, metrics: await registry.getMetricsAsJSON(), failed })
  }
}
