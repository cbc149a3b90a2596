// A value that is on its way, as those see it who join.

/** The entry's bytes, and whether they are what lies under the key: somebody may have been newer. */
export interface Landing {
  readonly bytes: string
  readonly isStored: boolean
}

/** Shared by all callers of a process who want the same value at the same time. */
export interface SharedFlight {
  /** Undefined where nothing was to be refreshed. */
  readonly landed: Promise<Landing | undefined>
  /** Whether the run is one of this process. */
  readonly isOurs: boolean
  /** Whether its outcome is an error already: who asks from now on wants another try. */
  readonly hasFailed: boolean
  /** Whether it waited for another process's run until the time of the call that began it was over. */
  readonly hasGivenUp: boolean
}
