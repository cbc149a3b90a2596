// Owns which queues a process works, in which order; `*` is filled with the names that there are.

// Most queues by which an idle process is found.
const mostOffered = 32

export class WorkQueues {
  readonly #wanted: readonly string[]
  #names: readonly string[]

  constructor(wanted: readonly string[]) {
    this.#wanted = wanted
    this.#names = wanted.filter((name) => name !== '*')
  }

  /** As Resque lists them. */
  get title(): string {
    return this.#wanted.join(',')
  }

  /** Whether queues that come into being are worked too. */
  get hasStar(): boolean {
    return this.#wanted.includes('*')
  }

  /** In the order in which they are served. */
  get names(): readonly string[] {
    return this.#names
  }

  /** The queues for which an idle process can be found at once; '' if they are too many to be listed at each rest. */
  get offer(): string {
    return this.hasStar || this.#wanted.length <= mostOffered ? this.title : ''
  }

  /** Takes the names of all queues; answers whether one of them is new. */
  refresh(all: readonly string[]): boolean {
    if (!this.hasStar) return false
    const known = new Set(this.#names)
    const isNew = all.some((name) => !known.has(name))
    const others = all.filter((name) => !this.#wanted.includes(name)).sort()
    this.#names = this.#wanted.flatMap((name) => (name === '*' ? others : [name]))
    return isNew
  }
}
