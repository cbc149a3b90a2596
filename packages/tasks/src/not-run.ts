// Owns the word of a hook that a job is not to run: in the place of a run's result.

export class NotRun {
  /** In how many ms the job comes again; undefined: not at all. */
  readonly againInMs: number | undefined

  constructor(againInMs?: number) {
    this.againInMs = againInMs
  }
}
