// Whether this process is fit to serve, as its readiness checks said when they were last asked.
import type { Lifecycle } from 'fastify-ah-kit'
import type { Instruments } from './instruments.ts'

/** Asks when it is told to: a check may take two seconds. */
export class Fitness {
  readonly #lifecycle: Lifecycle
  #failed: readonly string[] | undefined

  constructor(lifecycle: Lifecycle, instruments: Instruments, worker: string) {
    this.#lifecycle = lifecycle
    instruments.shown(
      {
        name: 'ready',
        help: '1: every readiness check of the process passed when it was last asked.',
        labels: ['worker'],
        aggregator: 'min',
      },
      () => (this.#failed === undefined ? [] : [[{ worker }, this.#failed.length === 0 ? 1 : 0] as const]),
    )
  }

  /** The names of the checks that fail now. */
  async look(): Promise<readonly string[]> {
    const { failed } = await this.#lifecycle.readiness()
    this.#failed = failed.map(({ name }) => name)
    return this.#failed
  }
}
