// Brings counts to Redis: now and then, at the drain, and at the close.
import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { Loop, within } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import { Collection } from './collection.ts'
import type { StatsKeys } from './keys.ts'

/** What a writer is made of. */
export interface WriterOptions {
  readonly connection: RedisConnection
  readonly keys: StatsKeys
  readonly collections: readonly string[]
  readonly writeMs: number
  readonly maxKeys: number
  readonly log: FastifyBaseLogger
}

// The drain had more time; what it could not write for want of Redis is not to hold up the close as well.
const closeMs = 1_000

/** Adds each count to every collection. A count is never an error of the caller's: what cannot be kept is told in the log. */
export class Writer {
  readonly #options: WriterOptions
  readonly #collections: readonly Collection[]
  readonly #loop: Loop
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #lost = 0
  #isLosing = false
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(options: WriterOptions) {
    const { connection, keys, maxKeys } = options
    this.#options = options
    const writerId = randomUUID()
    const onRefused = this.#onRefused
    this.#collections = options.collections.map(
      (name) => new Collection({ name, connection, keys, writerId, maxKeys, onRefused }),
    )
    this.#loop = new Loop({
      name: 'stats',
      step: () => this.#step(),
      onError: this.#onError,
    })
  }

  /** Keys whose counts are not known to be in Redis, over all collections. */
  get waiting(): number {
    return this.#collections.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  /** Counts that were given up: there was no room, or Redis held something else. */
  get lost(): number {
    return this.#lost
  }

  start(): void {
    this.#loop.start()
  }

  add(key: string, amount: number): void {
    for (const collection of this.#collections) {
      if (this.#isClosed || !collection.add(key, amount)) this.#lose(1)
      // Half full: what is left must do for the time of a write.
      else if (collection.waiting * 2 > this.#options.maxKeys) this.#loop.wake()
    }
  }

  /** Resolves when all that was added so far is in Redis; calls that come while one runs share the next one. */
  write(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#writeAll().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running.then(ignore, ignore).then(() => {
      this.#next = undefined
      return this.write()
    })
    return this.#next
  }

  /** Writes a last time, as far as Redis is there, and says what is lost if it is not. Twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // A step in hand ends with the connection, which is closed after this.
    const ended = Promise.allSettled([this.#loop.stop(), this.write()])
    await within<unknown>(closeMs, ended, () => undefined)
    this.#isClosed = true
    const left = this.#collections.filter(({ waiting }) => waiting > 0)
    if (left.length === 0) return
    const { log } = this.#options
    const collections = left.map(({ name }) => name)
    log.error({ keys: this.waiting, collections }, 'the app is closed, and the counts of some keys are not in Redis')
  }

  async #step(): Promise<number> {
    await this.write()
    const { log, writeMs } = this.#options
    if (this.#loop.failures > 0) log.info('counts are written to Redis again')
    if (this.#isLosing) log.warn({ lost: this.#lost }, 'counts were given up')
    this.#isLosing = false
    return writeMs
  }

  async #writeAll(): Promise<void> {
    const results = await Promise.allSettled(this.#collections.map((collection) => collection.write()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  #lose(counts: number): void {
    this.#lost += counts
    if (this.#isLosing) return
    this.#isLosing = true
    const { log, maxKeys } = this.#options
    log.warn(
      { maxKeys },
      this.#isClosed
        ? 'counts are given up: the app is closed'
        : 'counts are given up: too many different keys wait for Redis, or a sum is too large to be exact',
    )
  }

  readonly #onRefused = (collection: string, keys: readonly string[]): void => {
    this.#lost += keys.length
    this.#options.log.error(
      { collection, keys },
      'counts are given up: their keys hold no whole number, or no room for more',
    )
  }

  readonly #onError = (error: Error, failures: number): void => {
    // Once an outage; the close tells by itself.
    if (failures > 1 || this.#closing !== undefined) return
    this.#options.log.warn(
      { err: error, keys: this.waiting },
      'counts could not be written; they are kept and tried again',
    )
  }
}

function ignore(): void {}
