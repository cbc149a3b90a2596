// The facade: the parts of one registration, its start and its end.
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { addressesOf, Loop, Origins, upgradesOf, within } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { PubSub } from 'fastify-ah-pubsub'
import { realmOf, type ServerTokens } from './access.ts'
import { Arrivals, type AskForHandover } from './arrivals.ts'
import { Bayeux } from './bayeux.ts'
import { Channels } from './channels.ts'
import { Clients } from './clients.ts'
import { Feeds } from './feeds.ts'
import { Gate } from './gate.ts'
import { Asker } from './handover.ts'
import { openHttpDoor } from './http-door.ts'
import { Keepers } from './keepers.ts'
import type { FayeKeys } from './keys.ts'
import type { ParsedFayeOptions } from './options.ts'
import { Records } from './records.ts'
import { SocketDoor } from './socket-door.ts'
import type { FayeAuthorize } from './types.ts'

/** What it is made of. */
export interface FayeParts {
  readonly app: FastifyInstance
  readonly connection: RedisConnection
  readonly keys: FayeKeys
  readonly pubsub: PubSub
  readonly tokens: ServerTokens | undefined
  readonly settings: Omit<ParsedFayeOptions, 'redis' | 'serverToken' | 'authorize'>
  readonly authorize: FayeAuthorize
}

// Clients whose websocket closes come again at once; who has not by then is brought to another process.
const returnMs = 500
const mostAtOnce = 100
// With Redis away the end is not held up for longer.
const closeMs = 2_000
const longestSweepMs = 15_000

/** Bayeux clients of one path. */
export class Faye {
  readonly #app: FastifyInstance
  readonly #log: FastifyBaseLogger
  readonly #settings: FayeParts['settings']
  readonly #nodeId: string
  readonly #clients: Clients
  readonly #keepers: Keepers
  readonly #asker: Asker
  readonly #gate: Gate
  readonly #bayeux: Bayeux
  readonly #origins: Origins
  readonly #sockets: SocketDoor
  readonly #loop: Loop
  readonly #forgetHandler: () => void

  constructor({ app, connection, keys, pubsub, tokens, settings, authorize }: FayeParts) {
    const { path, awayMs, maxQueued, maxClients, maxSubscriptions, maxMessageBytes, maxUnsentBytes } = settings
    const { log } = app
    const callName = `faye ${path}`
    this.#app = app
    this.#log = log
    this.#settings = settings
    this.#nodeId = pubsub.id
    const nodeId = pubsub.id
    const feeds = new Feeds(
      (channel, handler) =>
        realmOf(channel) === 'servers'
          ? pubsub.internal.subscribe(channel, handler)
          : pubsub.subscribe(channel, handler),
      (err) => log.warn({ err }, 'a channel of faye clients could not be left'),
    )
    // Twice as long as a client may be away, since its keeper may die just before it comes.
    const records = new Records({ connection, keys, nodeId, recordMs: awayMs * 2 })
    this.#asker = new Asker(pubsub, callName, log)
    const asker = this.#asker
    const clients = new Clients({ records, feeds, log, maxQueued, maxClients, awayMs })
    const askForHandover: AskForHandover = (...asked) => asker.handover(...asked)
    const arrivals = new Arrivals({ clients, records, feeds, nodeId, askForHandover })
    this.#clients = clients
    const channels = new Channels({ clients, feeds, records, maxSubscriptions })
    this.#keepers = new Keepers({ clients, arrivals, channels, records, asker, nodeId })
    const keepers = this.#keepers
    this.#gate = new Gate({
      bus: pubsub,
      clients,
      arrivals,
      keepers,
      records,
      authorize,
      tokens,
      maxSubscriptions,
      log,
    })
    this.#bayeux = new Bayeux(this.#gate, settings.timeoutMs)
    const bayeux = this.#bayeux
    this.#origins = new Origins({ listed: settings.origins, isOwnHostAllowed: true, isMissingAllowed: true })
    const origins = this.#origins
    const upgrades = upgradesOf(app)
    const addressOf = addressesOf(app)
    this.#sockets = new SocketDoor({ upgrades, path, bayeux, addressOf, origins, maxMessageBytes, maxUnsentBytes, log })
    this.#loop = new Loop({
      name: 'faye clients',
      step: async () => {
        await clients.sweep()
        return Math.min(awayMs / 4, longestSweepMs)
      },
      onError: (err, failures) => {
        // Once an outage.
        if (failures === 1) log.warn({ err }, "faye clients' records could not be renewed; it is tried again")
      },
    })
    this.#forgetHandler = pubsub.handle(callName, (question: unknown) => keepers.answer(question))
  }

  /** Opens both doors. */
  async start(): Promise<void> {
    const { path, maxMessageBytes } = this.#settings
    const options = { path, maxMessageBytes, bayeux: this.#bayeux, origins: this.#origins }
    await this.#app.register(async (scope) => openHttpDoor(scope, options))
    this.#sockets.open()
    this.#loop.start()
  }

  /** Every client is told to come again, and brought to another process. */
  async drain(): Promise<void> {
    this.#gate.isDraining = true
    this.#keepers.isClosing = true
    for (const client of this.#clients.all()) client.finish()
    await this.#sockets.drain()
    const others = await within(closeMs, this.#asker.others(this.#nodeId), () => [])
    if (others.length === 0) return
    const until = performance.now() + returnMs
    while (this.#clients.size > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 20))
    const ids = this.#clients.all().map(({ clientId }) => clientId)
    for (let from = 0; from < ids.length; from += mostAtOnce) {
      await this.#asker.adopt(ids.slice(from, from + mostAtOnce), others)
    }
  }

  /** What nobody took is left in Redis. */
  async close(): Promise<void> {
    this.#keepers.isClosing = true
    this.#sockets.close()
    const ended = Promise.allSettled([this.#loop.stop(), this.#clients.leave()])
    const [, left] = await within<readonly PromiseSettledResult<void>[]>(closeMs, ended, () => [])
    if (left?.status !== 'fulfilled') {
      const err: unknown = left?.reason
      this.#log.warn({ err }, 'messages that waited for faye clients could not be left in Redis')
    }
    this.#forgetHandler()
  }
}
