// Whether all changes of keys are heard: a feed for each master, proven again and again.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { Loop, toError } from 'fastify-ah-kit'
import {
  AH_KIT_REDIS_REFUSED,
  missingMasters,
  type RedisConnection,
  type ServerClient,
  slotOwners,
} from 'fastify-ah-kit/redis'
import { Feed } from './feed.ts'

/** What is tracked, and who hears of it. */
export interface TrackingOptions {
  readonly connection: RedisConnection
  readonly log: FastifyBaseLogger
  /** Of the keys. */
  readonly prefixes: readonly string[]
  /** What the keys of proofs begin with. */
  readonly proofPrefix: string
  /** These keys were changed, as bytes; undefined: any may have been. */
  readonly onKeys: (keys: readonly Buffer[] | undefined) => void
}

// Between two proofs.
const proofEveryMs = 300
// How long Redis may take for one.
const proofWithinMs = 1000
// From how many proofs in a row without success on they are rarer, and somebody is told.
const patience = 5
const rareProofMs = 5000
// How long the app's boot waits for the first proof.
const bootMs = 1000

/**
 * Open while every master that the connection reads from has a proven feed, and none has closed, moved or fallen silent
 * since. One that is missing closes all: which keys it holds is only known by the cluster's last word.
 */
export class Tracking {
  readonly #options: TrackingOptions
  readonly #feeds = new Map<ServerClient, Feed>()
  readonly #loop: Loop
  readonly #proofPrefix: string
  readonly #clear: Promise<void>
  #setClear: () => void = () => undefined
  #isOpen = false
  #provenAt = Number.NEGATIVE_INFINITY
  /** Counts what makes a proof under way worthless. */
  #doubts = 0
  #failures = 0
  #isRefused = false
  #isClosed = false
  #owners = ''

  constructor(options: TrackingOptions) {
    this.#options = options
    this.#proofPrefix = `${options.proofPrefix}${randomUUID()}:`
    this.#clear = new Promise((resolve) => {
      this.#setClear = resolve
    })
    this.#loop = new Loop({
      name: 'local tier of the cache',
      step: () => this.#step(),
      onError: (err) => options.log.error({ err }, 'the local tier of the cache has an error'),
    })
  }

  /** Whether every change is heard. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** All that Redis had applied before this instant has been heard, in ms of the monotonic clock. */
  get provenAt(): number {
    return this.#provenAt
  }

  /** Begins; resolves when it is open, when it is clear that it will not be, or after a second. */
  async start(): Promise<void> {
    const why = this.#whyNot()
    if (why !== undefined) return this.#refuse(new Error(why))
    const { client } = this.#options.connection
    for (const event of doubtful) client.on(event, this.#doubt)
    if (client.isCluster) {
      this.#owners = slotOwners(client)
      client.on('refresh', this.#compareSlots)
    }
    this.#loop.start()
    await Promise.race([this.#clear, sleep(bootMs, undefined, { ref: false })])
  }

  /** Ends within two seconds, with Redis gone too. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#shut()
    const { client } = this.#options.connection
    for (const event of doubtful) client.off(event, this.#doubt)
    client.off('refresh', this.#compareSlots)
    // The feeds first: the step in hand may wait for them.
    await Promise.all([this.#closeFeeds(), this.#loop.stop()])
    this.#setClear()
  }

  /** Answers the ms until the next step. */
  async #step(): Promise<number> {
    if (this.#isRefused || this.#isClosed) return Number.POSITIVE_INFINITY
    const { connection } = this.#options
    const startedAt = performance.now()
    const doubts = this.#doubts
    try {
      this.#follow()
      const proofs = await Promise.allSettled([...this.#feeds.values()].map((feed) => feed.prove(proofWithinMs)))
      for (const proof of proofs) if (proof.status === 'rejected') throw proof.reason
      const missing = missingMasters(connection.client)
      if (missing.length > 0) throw new Error(`there is no connection to ${missing.join(', ')}`)
    } catch (thrown) {
      return this.#fail(toError(thrown))
    }
    // What was proven was in doubt before the last proof had come: once more.
    if (this.#doubts !== doubts || this.#isClosed) return 0
    this.#failures = 0
    this.#provenAt = startedAt
    this.#isOpen = true
    this.#setClear()
    return proofEveryMs
  }

  /** A feed for each master, and for nobody else. */
  #follow(): void {
    const { connection } = this.#options
    const masters = new Set(connection.masters())
    for (const [master, feed] of this.#feeds) {
      if (masters.has(master)) continue
      this.#feeds.delete(master)
      this.#doubt()
      feed.close().catch((err: unknown) => this.#options.log.warn({ err }, 'a connection to Redis did not close'))
    }
    for (const master of masters) {
      if (this.#feeds.has(master)) continue
      this.#doubt()
      const { onKeys, prefixes } = this.#options
      const onLost = this.#lose
      this.#feeds.set(
        master,
        new Feed({ connection, master, prefixes, proofPrefix: this.#proofPrefix, onKeys, onLost }),
      )
    }
  }

  /** Answers the ms until the next try. */
  #fail(error: Error): number {
    this.#shut()
    if (this.#isClosed) return Number.POSITIVE_INFINITY
    if (isRefusal(error)) {
      this.#refuse(error)
      return Number.POSITIVE_INFINITY
    }
    this.#failures += 1
    const { log } = this.#options
    log.debug({ err: error }, 'the local tier of the cache is off while Redis does not name the keys that change')
    if (this.#failures < patience) return proofEveryMs
    if (this.#failures === patience) {
      log.warn({ err: error }, 'the local tier of the cache is off: Redis does not name the keys that change')
      this.#setClear()
    }
    return rareProofMs
  }

  #refuse(err: Error): void {
    this.#isRefused = true
    this.#options.log.warn({ err }, 'the local tier of the cache stays off: client tracking is not to be had here')
    this.#setClear()
    this.#closeFeeds().catch((error: unknown) => this.#options.log.warn({ err: error }, 'a connection did not close'))
  }

  async #closeFeeds(): Promise<void> {
    const feeds = [...this.#feeds.values()]
    this.#feeds.clear()
    await Promise.all(feeds.map((feed) => feed.close()))
  }

  /** Why tracking could not hold, in words. */
  #whyNot(): string | undefined {
    const { client } = this.#options.connection
    const { scaleReads, role } = client.options as { scaleReads?: unknown; role?: unknown }
    // A replica answers with what its master has replaced already.
    if (client.isCluster && scaleReads !== 'master') return 'the client reads from replicas (scaleReads)'
    if (!client.isCluster && role === 'slave') return 'the client reads from a replica (role)'
    return undefined
  }

  #shut(): void {
    this.#isOpen = false
    this.#provenAt = Number.NEGATIVE_INFINITY
    this.#options.onKeys(undefined)
  }

  /** A feed's socket closed. */
  readonly #lose = (): void => {
    this.#doubts += 1
    this.#shut()
    this.#loop.wake()
  }

  /** Another server may answer from now on than the one that the feeds listen to. */
  readonly #doubt = (): void => {
    for (const feed of this.#feeds.values()) feed.doubt()
    this.#lose()
  }

  readonly #compareSlots = (): void => {
    const owners = slotOwners(this.#options.connection.client)
    if (owners === this.#owners) return
    this.#owners = owners
    this.#doubt()
  }
}

// A client of one server connects anew; the nodes of a Cluster come and go.
const doubtful = ['close', 'ready', '+node', '-node'] as const

/** Whether trying again is in vain: the user has not the right, the server does not know how. */
function isRefusal(error: Error): boolean {
  if (!(error instanceof AH_KIT_REDIS_REFUSED) || !(error.cause instanceof Error)) return false
  return /^(NOPERM|ERR) /.test(error.cause.message)
}
