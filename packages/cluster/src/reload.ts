// One rolling reload: its release, how far it is, and how it ends.
import { Generation } from './generation.ts'
import type { ReloadProgress } from './types.ts'

/** How a reload ended. */
export interface ReloadResult {
  /** The release that it was about. */
  readonly generation: number
  /** Why it was given up; the old workers serve then. Undefined if every worker runs the release. */
  readonly error: Error | undefined
}

/**
 * | state | moves to | when |
 * |---|---|---|
 * | queued | running | the reload before it has ended |
 * | running | done | each seat has a worker of the release that serves, and no older one is left |
 * | running | given up | its first worker could not start, or the cluster stops or restarts |
 */
export class Reload {
  readonly generation: Generation
  /** Settles with its end. Never rejects. */
  readonly ended: Promise<ReloadResult>
  readonly #watchers = new Set<(progress: ReloadProgress) => void>()
  #resolve: (result: ReloadResult) => void = () => undefined
  #progress: ReloadProgress | undefined

  constructor(number: number) {
    this.generation = new Generation(number)
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Undefined while it is queued. */
  get progress(): ReloadProgress | undefined {
    return this.#progress
  }

  /** Has `watcher` called with each change. */
  watch(watcher: (progress: ReloadProgress) => void): void {
    this.#watchers.add(watcher)
  }

  /** Notes how far it is, and tells it if that has changed. */
  advance(progress: ReloadProgress): void {
    const before = this.#progress
    this.#progress = progress
    const isSame =
      before?.ready === progress.ready && before.wanted === progress.wanted && before.draining === progress.draining
    if (isSame) return
    for (const watcher of this.#watchers) watcher(progress)
  }

  /** Tells the outcome to all who wait. */
  end(error?: Error): void {
    this.#resolve({ generation: this.generation.number, error })
  }
}
