// Owns a loop whose steps and errors are noted.
import { Loop, type LoopOptions } from 'fastify-ah-kit'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** Everything that is ready to run has run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** The loop and what it did. */
export interface Watched {
  readonly loop: Loop
  readonly errors: [message: string, failures: number][]
  steps: number
}

/** A loop that is stopped with the test. */
export function watchedLoop(t: TestScope, step: LoopOptions['step'], options: Partial<LoopOptions> = {}): Watched {
  const watched: Watched = {
    steps: 0,
    errors: [],
    loop: new Loop({
      name: 'watched',
      step: (signal) => {
        watched.steps += 1
        return step(signal)
      },
      onError: (error, failures) => void watched.errors.push([error.message, failures]),
      stopMs: 50,
      ...options,
    }),
  }
  atEnd(t, () => watched.loop.stop())
  return watched
}
