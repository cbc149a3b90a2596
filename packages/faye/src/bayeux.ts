// The protocol: faye's own server makes the replies, and everything that has to be done is done before it makes them.
import { randomBytes } from 'node:crypto'
import Channel from 'faye/src/protocol/channel.js'
import BayeuxError from 'faye/src/protocol/error.js'
import Grammar from 'faye/src/protocol/grammar.js'
import Server from 'faye/src/protocol/server.js'
import type { Incoming } from './incoming.ts'
import type { Peer } from './types.ts'

/** The error texts of Bayeux, for replies. */
export const bayeuxError: typeof BayeuxError = BayeuxError

/** The texts of the errors that are ours: nothing is known to be wrong with the client, it may try again. */
export const tryAgain: string = BayeuxError.serverError()

/** Whether Bayeux lets a client subscribe to it: a name, or one with a last `*` or `**`, that is not the protocol's own. */
export function isSubscribable(channel: string): boolean {
  return Channel.isSubscribable(channel) === true
}

/** Whether a message can be published on it. */
export function isPublishable(channel: string): boolean {
  return Grammar.CHANNEL_NAME.test(channel)
}

/** The clients, as the protocol needs them. */
export interface Engine {
  /** Does what the message asks for; where that fails, or may not be, the message gets an `error`. Never rejects. */
  admit(message: Incoming, peer: Peer): Promise<void>
  /** Makes the client of a handshake that was admitted; undefined if that fails. Never rejects. */
  createClient(): Promise<string | undefined>
  /** The messages for a client whose connect was admitted, when there are some or the time is over. */
  connect(clientId: string, timeoutMs: number): Promise<readonly unknown[]>
}

/** What a peer that gets no advice does at once, it may do after so long, in ms. */
const retryMs = 1_000

interface Reply {
  readonly channel: string
  clientId?: string
  successful: boolean
  error?: string
  advice?: object
  supportedConnectionTypes?: readonly string[]
}

/** What clients may connect by. JSONP and EventSource are left out: pages of any origin could use them. */
const connectionTypes = ['websocket', 'long-polling', 'cross-origin-long-polling']

/**
 * faye's server answers before its engine is done, and asks the engine nothing that may fail. So the work is done in an
 * incoming extension, which it waits for, and the engine that it gets says yes to everything.
 */
export class Bayeux {
  readonly #server: Server

  constructor(engine: Engine, timeoutMs: number) {
    this.#server = new Server({ timeout: timeoutMs / 1000 })
    // It would write whole messages, with whatever secret they hold, to the logger that somebody gave faye.
    Object.assign(this.#server, { info: nothing, debug: nothing })
    this.#server._engine = engineFor(engine, timeoutMs)
    this.#server.addExtension({
      incoming: (message, peer, pass) => {
        void engine.admit(message as Incoming, peer as Peer).then(() => pass(message))
      },
      outgoing: (message, _peer, pass) => pass(finished(message as Reply)),
    })
  }

  /** The replies to some messages, when all have one: a connect's comes when there is something to tell. */
  answer(messages: readonly Incoming[], peer: Peer): Promise<readonly object[]> {
    return new Promise((resolve) => this.#server.process(messages, peer, resolve))
  }
}

/** A client's id is all that it proves itself by. */
export function newClientId(): string {
  return randomBytes(20).toString('hex')
}

function engineFor(engine: Engine, timeoutMs: number): object {
  return {
    interval: 0,
    timeout: timeoutMs / 1000,
    createClient: (done: (clientId: string | undefined) => void, server: object) =>
      void engine.createClient().then((clientId) => done.call(server, clientId)),
    // The message of an unknown one has its error by now.
    clientExists: (_clientId: string, done: (exists: boolean) => void, server: object) => done.call(server, true),
    connect: (clientId: string, advice: Incoming['advice'], done: (messages: readonly unknown[]) => void) => {
      const wanted = Math.min(advice?.timeout ?? timeoutMs, timeoutMs)
      void engine.connect(clientId, wanted).then(done)
    },
    subscribe: nothing,
    unsubscribe: nothing,
    destroyClient: nothing,
    publish: nothing,
  }
}

function finished(reply: Reply): Reply {
  if (reply.channel === '/meta/handshake') {
    reply.supportedConnectionTypes = connectionTypes
    // The server does not know that its engine can fail.
    if (reply.successful && reply.clientId === undefined) {
      reply.successful = false
      reply.error = tryAgain
    }
  }
  // The server's advice is to begin anew, and all that is wrong may be that Redis is away.
  if (reply.channel === '/meta/connect' && reply.error === tryAgain) {
    reply.advice = { reconnect: 'retry', interval: retryMs, timeout: 0 }
  }
  return reply
}

function nothing(): void {}
