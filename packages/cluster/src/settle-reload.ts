// Looks whether the release that is on trial has settled or failed, and lets the reload that waits begin.
import type { Crew, Workplace } from './crew.ts'

/** Called in each round of the manager. */
export function settleReload({ releases, roster, seats }: Crew, { setup: { journal }, metering }: Workplace): void {
  const isFirst = releases.reload === undefined && !releases.current.isSettled
  if (isFirst && roster.isServing(seats.all)) releases.settle()
  for (let { reload } = releases; reload !== undefined; { reload } = releases) {
    const { number, failure } = reload.generation
    if (failure !== undefined) {
      // Whoever serves goes on, of the old release or of the new one.
      for (const worker of roster.rising) if (worker.generation === number) worker.stop()
      journal.reloadGivenUp(number, failure)
      metering?.reloaded('failed')
      releases.finish(failure)
      continue
    }
    if (reload.progress === undefined) journal.reloadBegins(number, seats.size)
    const ready = roster.all.filter(({ generation, state }) => generation === number && state === 'started').length
    const draining = roster.all.filter(({ generation, state }) => generation < number && state === 'stopping').length
    reload.advance({ generation: number, ready, wanted: seats.size, draining })
    const isDone = roster.isComplete(seats.all) && roster.all.every(({ generation }) => generation === number)
    if (!isDone) return
    journal.reloadDone(number, seats.size)
    metering?.reloaded('done')
    releases.settle()
  }
}
