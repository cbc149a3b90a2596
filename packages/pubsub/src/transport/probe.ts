// Asks again and again whether a connection hears what is published; one that is connected and deaf looks well otherwise.
import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { Loop, within } from 'fastify-ah-kit'
import type { DedicatedConnection, ServerClient } from 'fastify-ah-kit/redis'
import type { HeldNames } from './held-names.ts'
import type { OpenSocket } from './open-socket.ts'
import { askSubscriptions } from './subscription-count.ts'

/** What is probed, and how. */
export interface ProbeOptions {
  readonly dedicated: DedicatedConnection
  readonly names: HeldNames
  readonly socket: OpenSocket
  readonly log: FastifyBaseLogger
  readonly everyMs: number
  /** A channel that nobody else uses, which the server of this connection serves now; undefined while none is known. */
  readonly channelFor: (id: string) => string | undefined
  readonly publish: (channel: string, text: string) => Promise<unknown>
  /** There may be names to ask for. */
  readonly sync: () => void
}

interface Sounding {
  readonly channel: string
  sent: number
  heard: number
}

// How long Redis may take to answer whether it is there.
const pongMs = 2_000
const stopMs = 500
// So many in a row that were sent and not heard mean that the connection is deaf. One may be wrong: behind a failover or
// a move of slots the message takes another way than the question.
const deafAfter = 2

/** Publishes a number over the request connection, then asks on the probed one, behind all that was sent there before. */
export class Probe {
  readonly #options: ProbeOptions
  readonly #id = randomUUID()
  readonly #loop: Loop
  #sounding: Sounding | undefined
  #misses = 0
  #isProven = false

  constructor(options: ProbeOptions) {
    this.#options = options
    this.#loop = new Loop({
      name: 'probe of a subscriber connection',
      step: () => this.#step(),
      onError: (err) => options.log.debug({ err }, 'a subscriber connection could not be probed'),
    })
    this.#loop.start()
  }

  /** Whether the last probe was heard, on the socket of now. */
  get isProven(): boolean {
    return this.#isProven
  }

  /** Whether this is our own, and nobody else's business. */
  owns(name: string): boolean {
    return name === this.#sounding?.channel
  }

  /** Of our own channel. */
  hear(bytes: Buffer): void {
    if (this.#sounding !== undefined)
      this.#sounding.heard = Math.max(this.#sounding.heard, Number(bytes.toString()) || 0)
  }

  /** The socket is gone. */
  lose(): void {
    this.#isProven = false
  }

  /** Asks now, unless it is known. */
  hurry(): void {
    if (!this.#isProven) this.#loop.wake()
  }

  /** Ends within half a second; what was asked of a Redis that is silent is left behind. */
  async stop(): Promise<void> {
    await within(stopMs, this.#loop.stop(), () => undefined)
  }

  /** Answers the ms until the next one. */
  async #step(): Promise<number> {
    const { dedicated, names, everyMs, sync } = this.#options
    const { client } = dedicated
    names.retryRefused()
    sync()
    if (client.status !== 'ready') return everyMs
    const isHeard = await this.#isHeard(this.#soundingOfNow())
    if (isHeard === undefined || client !== dedicated.client) return everyMs
    this.#misses = isHeard ? 0 : this.#misses + 1
    this.#isProven = isHeard
    if (this.#misses >= deafAfter) {
      this.#misses = 0
      dedicated.replace(client, new Error('the connection is open, and does not get what is published'))
    }
    return everyMs
  }

  /** Undefined if nobody could ask. */
  async #isHeard(sounding: Sounding | undefined): Promise<boolean | undefined> {
    const { dedicated, names, socket, publish } = this.#options
    const { signal } = socket
    const canPublish = sounding !== undefined && names.isSettled
    let isSent = false
    if (canPublish) {
      sounding.sent += 1
      isSent = await within(pongMs, publish(sounding.channel, String(sounding.sent)).then(yes, no), no)
    }
    // Also where nothing could be published: a connection that is silent is found here.
    const ask = (client: unknown): Promise<number | undefined> => askSubscriptions(client as ServerClient)
    const count = await dedicated.wait('probe', (client) => socket.while(() => ask(client)), pongMs)
    if (!canPublish || !isSent || signal.aborted || !names.isSettled) return undefined
    return sounding.heard === sounding.sent && (count === undefined || count === names.heldCount)
  }

  /** Another one when the slot of the last has moved to another server. */
  #soundingOfNow(): Sounding | undefined {
    const { channelFor, names, sync } = this.#options
    const channel = channelFor(this.#id)
    if (channel === undefined || channel === this.#sounding?.channel) return this.#sounding
    // Who closes meanwhile needs none.
    if (this.#sounding !== undefined) names.unwant(this.#sounding.channel).catch(ignore)
    this.#sounding = { channel, sent: 0, heard: 0 }
    names.want(channel).catch(ignore)
    sync()
    return this.#sounding
  }
}

const yes = (): boolean => true
const no = (): boolean => false

function ignore(): void {}
