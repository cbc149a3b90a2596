// Every message of a client passes here: what it may do is done, what it may not gets its error.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { realmOf, type ServerTokens, takeToken } from './access.ts'
import type { Arrivals } from './arrivals.ts'
import { bayeuxError, type Engine, isPublishable, isSubscribable, tryAgain } from './bayeux.ts'
import type { Bus } from './bus.ts'
import type { Clients } from './clients.ts'
import type { Incoming } from './incoming.ts'
import type { Keepers } from './keepers.ts'
import type { Records } from './records.ts'
import type { FayeAnswer, FayeAuthorize, FayeQuestion, Peer } from './types.ts'

/** What it works with. */
export interface GateOptions {
  readonly bus: Bus
  readonly clients: Clients
  readonly arrivals: Arrivals
  readonly keepers: Keepers
  readonly records: Records
  readonly authorize: FayeAuthorize
  /** Undefined: nobody's token opens anything. */
  readonly tokens: ServerTokens | undefined
  readonly maxSubscriptions: number
  readonly log: FastifyBaseLogger
}

/** One client's messages are taken one after the other, in the order in which they came here. */
export class Gate implements Engine {
  readonly #options: GateOptions
  readonly #lanes = new Map<unknown, Promise<void>>()
  /** No connect is held any more. */
  isDraining = false

  constructor(options: GateOptions) {
    this.#options = options
  }

  admit(message: Incoming, peer: Peer): Promise<void> {
    const lane = message.clientId ?? peer
    const before = this.#lanes.get(lane) ?? Promise.resolve()
    const done = before
      .then(() => this.#admit(message, peer))
      .catch((thrown: unknown) => {
        this.#options.log.warn({ err: toError(thrown), bayeux: message.channel }, 'a message of a faye client failed')
        message.error = tryAgain
      })
      .then(() => {
        if (this.#lanes.get(lane) === done) this.#lanes.delete(lane)
      })
    this.#lanes.set(lane, done)
    return done
  }

  async createClient(): Promise<string | undefined> {
    const { clients, log } = this.#options
    try {
      return (await clients.create())?.clientId
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, 'a handshake of a faye client failed')
      return undefined
    }
  }

  async connect(clientId: string, timeoutMs: number): Promise<readonly unknown[]> {
    const client = this.#options.clients.kept(clientId)
    if (client === undefined) return []
    return (await client.hold(this.isDraining ? 0 : timeoutMs)).map(({ message }) => message)
  }

  async #admit(message: Incoming, peer: Peer): Promise<void> {
    const error = await this.#errorOf(message, peer)
    if (error !== undefined) message.error = error
  }

  #errorOf(message: Incoming, peer: Peer): Promise<string | undefined> | undefined {
    switch (message.channel) {
      case '/meta/handshake':
        return this.#handshake(message, peer)
      case '/meta/connect':
        return this.#connect(message, peer)
      case '/meta/subscribe':
        return this.#subscribe(message, peer)
      case '/meta/unsubscribe':
        return this.#atKeeper(message, 'unsubscribe')
      case '/meta/disconnect':
        return this.#atKeeper(message, 'disconnect')
    }
    // Others of the protocol's own, and what is no message: the server says so.
    const isKnown = isPublishable(message.channel) && !/^\/meta(\/|$)/.test(message.channel)
    return isKnown && message.data !== undefined ? this.#publish(message, peer) : undefined
  }

  async #handshake(message: Incoming, peer: Peer): Promise<string | undefined> {
    const { handshake } = this.#options.authorize
    return (await this.#mayBe('handshake', handshake?.(questionOf(message, peer))))
      ? undefined
      : '403::Handshake denied'
  }

  async #connect({ clientId }: Incoming, peer: Peer): Promise<string | undefined> {
    if (clientId === undefined) return undefined
    const { arrivals, clients, records } = this.#options
    // A process that ends takes nobody along: the client gets an empty answer, and asks another one.
    const client = this.isDraining ? clients.kept(clientId) : await arrivals.bring(clientId)
    if (client !== undefined) client.attach(peer)
    else if (!this.isDraining || !(await records.exists(clientId))) return bayeuxError.clientUnknown(clientId)
    return undefined
  }

  async #subscribe(message: Incoming, peer: Peer): Promise<string | undefined> {
    const { clientId, ext } = message
    const { authorize, maxSubscriptions } = this.#options
    const channels = channelsOf(message)
    if (clientId === undefined || channels.length === 0) return undefined
    if (channels.length > maxSubscriptions) return bayeuxError.channelForbidden(String(channels.length))
    for (const channel of channels) {
      if (!isSubscribable(channel)) return bayeuxError.channelForbidden(channel)
      const realm = realmOf(channel)
      if (realm === 'open') {
        const question = { ...questionOf(message, peer), channel }
        if (await this.#mayBe('subscribe', authorize.subscribe?.(question))) continue
      } else if (realm === 'servers' && this.#isServer(takeToken(undefined, ext).token)) continue
      return bayeuxError.channelForbidden(channel)
    }
    return this.#atKeeper(message, 'subscribe')
  }

  async #publish(message: Incoming, peer: Peer): Promise<string | undefined> {
    const { bus, clients, records, authorize, log } = this.#options
    const { channel, clientId, ext } = message
    const realm = realmOf(channel)
    const { token, data } = takeToken(message.data, ext)
    const isServer = this.#isServer(token)
    if (realm === 'closed' || (realm === 'servers' && !isServer)) return bayeuxError.channelForbidden(channel)
    if (clientId !== undefined && clients.kept(clientId) === undefined && !(await records.exists(clientId))) {
      return bayeuxError.clientUnknown(clientId)
    }
    // Also where it is not asked for: nobody else may read it.
    const sent = isServer ? data : message.data
    const question = { ...questionOf(message, peer), channel, data: sent }
    if (realm === 'open' && !(await this.#mayBe('publish', authorize.publish?.(question)))) {
      return bayeuxError.channelForbidden(channel)
    }
    try {
      await (realm === 'servers' ? bus.internal : bus).publish(channel, sent)
      return undefined
    } catch (thrown) {
      log.warn({ err: toError(thrown), channel }, 'a message of a faye client could not be published')
      return bayeuxError.publishFailed(channel)
    }
  }

  async #atKeeper(message: Incoming, verb: 'subscribe' | 'unsubscribe' | 'disconnect'): Promise<string | undefined> {
    const { clientId } = message
    const channels = channelsOf(message)
    if (clientId === undefined || (verb !== 'disconnect' && channels.length === 0)) return undefined
    return this.#options.keepers.change(clientId, verb, channels)
  }

  /** Only true is a yes; a hook that throws has not said it. */
  async #mayBe(hook: string, answer: FayeAnswer | undefined): Promise<boolean> {
    if (!(hook in this.#options.authorize)) return true
    return (await answer) === true
  }

  #isServer(token: unknown): boolean {
    return token !== undefined && this.#options.tokens?.accepts(token) === true
  }
}

function questionOf({ clientId, ext }: Incoming, { request }: Peer): FayeQuestion {
  return { request, clientId, ext }
}

function channelsOf({ subscription }: Incoming): readonly string[] {
  if (subscription === undefined) return []
  return typeof subscription === 'string' ? [subscription] : subscription
}
