// A connection of one's own, for commands that block and for subscriptions; replaced when it falls silent.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from '../errors.ts'
import { within } from '../within.ts'
import { closeClient } from './close-client.ts'
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_REFUSED, AH_KIT_REDIS_TIMEOUT, AH_KIT_REDIS_UNCERTAIN } from './errors.ts'
import { classify, withoutArguments } from './failure.ts'
import { watchHandshakes } from './handshake.ts'
import type { ConnectionRole } from './open-client.ts'
import type { RedisClient, Target } from './target.ts'

/** What a dedicated connection is made of. */
export interface DedicatedOptions {
  readonly target: Target
  readonly role: Exclude<ConnectionRole, 'request'>
  readonly log: FastifyBaseLogger
  /** Hears of each client, the first one too: subscribe there, add listeners. */
  readonly onClient?: (client: RedisClient) => void
  /** Hears of the end. */
  readonly onClose?: () => void
}

/**
 * Holds one client at a time. Its commands have no deadline of ioredis (`commandTimeout` on a client that pops loses
 * what was popped; `blockingTimeout` leaves the BLPOP on the server, which eats the next element): the watchdog of
 * {@link wait} closes the socket instead, which ends the command on the server too, and a new client takes over.
 */
export class DedicatedConnection {
  readonly #options: DedicatedOptions
  readonly #waiting = new Set<() => void>()
  readonly #out = new Set<() => void>()
  #client: RedisClient
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(options: DedicatedOptions) {
    this.#options = options
    this.#client = this.#open()
  }

  /** The client of now; another one after a replacement. */
  get client(): RedisClient {
    return this.#client
  }

  /**
   * Sends something that may wait on the server, once the client is ready, and gives it `withinMs`: its own timeout plus
   * a grace. While Redis is away nothing is sent: a BLPOP in a queue would take an element, later, for nobody. Rejects
   * with `AH_KIT_REDIS_DOWN` if it could not be sent, `AH_KIT_REDIS_TIMEOUT` after silence (the client is replaced),
   * `AH_KIT_REDIS_UNCERTAIN` if the connection ended under it, `AH_KIT_REDIS_REFUSED` if Redis said no.
   */
  async wait<T>(name: string, send: (client: RedisClient) => Promise<T>, withinMs: number): Promise<T> {
    if (this.#client.status === 'end') this.replace(this.#client, new AH_KIT_REDIS_DOWN(name))
    if (!(await this.#isReady(withinMs))) throw new AH_KIT_REDIS_DOWN(name)
    const client = this.#client
    const startedAt = performance.now()
    try {
      return await within(withinMs, this.#untilClosed(send(client)), () => {
        throw new AH_KIT_REDIS_TIMEOUT(name, withinMs)
      })
    } catch (thrown) {
      const error = toError(thrown)
      if (error instanceof AH_KIT_REDIS_TIMEOUT) {
        this.replace(client, error)
        throw error
      }
      const cause = withoutArguments(error)
      const failure = classify(error)
      if (failure === 'refused') throw new AH_KIT_REDIS_REFUSED(name, cause.message, { cause })
      if (failure === 'busy' || failure === 'demoted') throw new AH_KIT_REDIS_DOWN(name, { cause })
      throw new AH_KIT_REDIS_UNCERTAIN(name, Math.round(performance.now() - startedAt), { cause })
    }
  }

  /** Puts a new client in the place of `client`; does nothing if that one is not in use any more. */
  replace(client: RedisClient, reason: Error): void {
    if (this.#isClosed || client !== this.#client) return
    const { log, role, target } = this.#options
    log.warn({ err: reason, redis: target.label, role }, 'a connection to Redis is replaced')
    client.disconnect()
    this.#client = this.#open()
  }

  /** Ends it within two seconds, with a command blocked or not. Twice is fine. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { role, log, onClose } = this.#options
    for (const wake of this.#waiting) wake()
    // QUIT behind a BLPOP would wait for it.
    if (role === 'blocking') this.#client.disconnect()
    await closeClient(this.#client, log)
    for (const end of this.#out) end()
    onClose?.()
  }

  /** The answer; an error once this is closed, since ioredis ends no command between two tries to connect. */
  #untilClosed<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => reject(new Error('the connection was closed'))
      const settle = (): void => void this.#out.delete(end)
      this.#out.add(end)
      answer.then(resolve, reject).then(settle, settle)
    })
  }

  /** Whether the client became ready within the time; at once if it is. */
  async #isReady(withinMs: number): Promise<boolean> {
    if (this.#client.status !== 'ready' && !this.#isClosed) {
      let wake = (): void => undefined
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      this.#waiting.add(wake)
      await within(withinMs, woken, () => undefined)
      this.#waiting.delete(wake)
    }
    return this.#client.status === 'ready' && !this.#isClosed
  }

  #open(): RedisClient {
    const { target, role, log, onClient } = this.#options
    const client = target.open(role)
    client.on('error', (error: Error) => {
      log.debug({ err: withoutArguments(error), redis: target.label, role }, 'a connection to Redis has an error')
    })
    client.on('ready', () => {
      for (const wake of this.#waiting) wake()
    })
    watchHandshakes(client)
    onClient?.(client)
    return client
  }
}
