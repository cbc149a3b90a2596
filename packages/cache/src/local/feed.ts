// One connection on which one Redis server names the keys that change.
import { randomUUID } from 'node:crypto'
import {
  AH_KIT_REDIS_REFUSED,
  type DedicatedConnection,
  keyOnMaster,
  type RedisClient,
  type RedisConnection,
  type ServerClient,
} from 'fastify-ah-kit/redis'

/** Who hears of keys. */
export interface FeedListener {
  /** These were changed, as bytes; undefined: all of them. */
  readonly onKeys: (keys: readonly Buffer[] | undefined) => void
  /** From now on changes may go unheard, until {@link Feed.prove} succeeds again. */
  readonly onLost: () => void
}

/** What is listened to. */
export interface FeedOptions extends FeedListener {
  readonly connection: RedisConnection
  /** One of the connection's masters. */
  readonly master: ServerClient
  /** Of keys. */
  readonly prefixes: readonly string[]
  /** What this process's proofs begin with: nobody else writes there. */
  readonly proofPrefix: string
}

const channel = '__redis__:invalidate'
// How long a proof's key stays; only if its process dies before the next one.
const proofKeyMs = 10_000

/**
 * Redis' client tracking in RESP2: a connection that redirects to itself, and then subscribes. In that order, since a
 * subscribed connection may not ask for anything else; anew after each connect, since tracking ends with the socket.
 *
 * | state | moves to | when |
 * |---|---|---|
 * | deaf | armed | CLIENT TRACKING and SUBSCRIBE were answered, on one and the same socket |
 * | armed | proven | a key that was written over the request connection was named here: both speak to one server |
 * | proven | armed | `doubt()`: the request connection was made anew, or slots have moved |
 * | any | deaf | the socket closed; or it fell silent, and is replaced |
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #dedicated: DedicatedConnection
  readonly #id = randomUUID()
  #client: RedisClient | undefined
  #isArmed = false
  #isProven = false
  #proofs = 0
  /** Ends what waits for the socket that is there now. */
  #hangUp = new AbortController()
  #awaited: { readonly key: string; readonly hear: () => void } | undefined

  constructor(options: FeedOptions) {
    this.#options = options
    this.#dedicated = options.connection.dedicated('tracking', (client) => this.#watch(client), options.master)
  }

  /**
   * Resolves when all that the server had named before this call has been heard. Rejects as a {@link DedicatedConnection}
   * does, after `withinMs` at the latest; silence replaces the connection.
   */
  async prove(withinMs: number): Promise<void> {
    if (!this.#isArmed) await this.#arm(withinMs)
    else
      await this.#dedicated.wait('ping', () => this.#whileOpen((client) => (client as ServerClient).ping()), withinMs)
    if (this.#isProven) return
    await this.#proveSameServer(withinMs)
    this.#isProven = true
  }

  /** The other side may have changed: what was proven must be proven again. */
  doubt(): void {
    this.#isProven = false
  }

  close(): Promise<void> {
    return this.#dedicated.close()
  }

  #watch(client: RedisClient): void {
    this.#client = client
    this.#lose()
    const ifCurrent =
      <Args extends unknown[]>(listener: (...args: Args) => void) =>
      (...args: Args): void => {
        if (this.#client === client) listener(...args)
      }
    client.on(
      'close',
      ifCurrent(() => this.#lose()),
    )
    // Not `message`: it makes one text of all keys, and of bytes that are no text something else.
    client.on(
      'messageBuffer',
      ifCurrent((_channel: Buffer, keys: unknown) => this.#hear(keys)),
    )
  }

  #hear(keys: unknown): void {
    // What somebody published on this channel; FLUSHALL and FLUSHDB name no keys.
    if (!Array.isArray(keys) && keys !== null) return
    this.#options.onKeys(keys ?? undefined)
    if (this.#awaited === undefined || keys === null) return
    const { key, hear } = this.#awaited
    if (keys.some((bytes: Buffer) => bytes.toString() === key)) hear()
  }

  #lose(): void {
    this.#isArmed = false
    this.#isProven = false
    this.#hangUp.abort()
    this.#hangUp = new AbortController()
    this.#options.onLost()
  }

  async #arm(withinMs: number): Promise<void> {
    const prefixes = this.#options.prefixes.concat(this.#options.proofPrefix).flatMap((prefix) => ['PREFIX', prefix])
    let client: RedisClient | undefined
    try {
      await this.#dedicated.wait(
        'client tracking',
        (current) => {
          client = current
          return this.#whileOpen(async () => {
            const id = (await current.call('CLIENT', 'ID')) as number
            await current.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...prefixes)
            await current.subscribe(channel)
          })
        },
        withinMs,
      )
    } catch (error) {
      // What of it is still under way would arrive on the next socket, in the wrong order.
      if (client !== undefined && !(error instanceof AH_KIT_REDIS_REFUSED))
        this.#dedicated.replace(client, error as Error)
      throw error
    }
    this.#isArmed = true
  }

  async #proveSameServer(withinMs: number): Promise<void> {
    const { connection, master, proofPrefix } = this.#options
    this.#proofs += 1
    const key = keyOnMaster(connection.client, master, `${proofPrefix}${this.#id}:${this.#proofs}`)
    // A master without slots is asked for nothing yet, and a slot on its way to it is announced by that slot's owner.
    if (key === undefined) return
    const heard = new Promise<void>((hear) => {
      this.#awaited = { key, hear }
    })
    try {
      await Promise.all([
        this.#dedicated.wait('invalidate', () => this.#whileOpen(() => heard), withinMs),
        this.#whileOpen(() => connection.write('SET', [key, '1', 'PX', proofKeyMs])),
      ])
    } finally {
      // Also where the write failed, so that nothing waits for what cannot come.
      this.#awaited?.hear()
      this.#awaited = undefined
    }
  }

  /** What is asked, or a rejection as soon as the socket that is there now closes. */
  #whileOpen<T>(ask: (client: RedisClient) => Promise<T>): Promise<T> {
    const { signal } = this.#hangUp
    return new Promise<T>((resolve, reject) => {
      const end = (): void => reject(new Error('the connection was closed'))
      signal.addEventListener('abort', end, { once: true })
      ask(this.#client as RedisClient)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', end))
    })
  }
}
