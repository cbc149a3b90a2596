// A value that is on its way, as those see it who join.

/** Shared by all callers of a process who want the same value at the same time. */
export interface SharedFlight {
  /** The entry's bytes; undefined where nothing was to be refreshed. */
  readonly landed: Promise<string | undefined>
  /** Whether the run is one of this process. */
  readonly isOurs: boolean
  /** Whether its outcome is an error already: who asks from now on wants another try. */
  readonly hasFailed: boolean
  /** Another caller wants to wait this long from now on, in ms. */
  extend(ms: number): void
}
