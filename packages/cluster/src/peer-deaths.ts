// Deaths of workers, kept long enough for those that could not hear of them yet.
import type { PeerDeath } from 'fastify-ah-kit'
import type { WorkerHandle } from './worker-handle.ts'

const KEPT_MS = 60_000
const KEPT = 100

/** Tells every worker of a death: the living at once, those that come after it with their orders. */
export class PeerDeaths {
  #recent: { readonly at: number; readonly death: PeerDeath }[] = []

  /** Those of the last minute. When all workers die at once, none of them can hear it: their successors do. */
  recent(now: number): PeerDeath[] {
    return this.#recent.filter(({ at }) => now - at < KEPT_MS).map(({ death }) => death)
  }

  announce(death: PeerDeath, now: number, living: readonly WorkerHandle[]): void {
    this.#recent = [...this.#recent.filter(({ at }) => now - at < KEPT_MS), { at: now, death }].slice(-KEPT)
    for (const worker of living) worker.announce(death)
  }
}
