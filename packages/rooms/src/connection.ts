// One client's connection: who it is, where it is a member, and its way out.
import { randomUUID } from 'node:crypto'
import { AH_ROOMS_MESSAGE, AH_ROOMS_OPTIONS } from './errors.ts'
import { Parcel } from './parcel.ts'
import { shown } from './shown.ts'
import type { ConnectRequest, DisconnectOptions, Identified, RoomConnection } from './types.ts'

/** What carries texts to the client: a websocket, or a test. Neither throws. */
export interface Outlet {
  readonly push: (parcel: Parcel) => void
  readonly close: (code: number, reason: string) => void
  /** Resolves when little of what was sent is still on its way, or the client is gone. Never rejects. */
  readonly drained: () => Promise<void>
  /** Whether so many bytes can be sent now without its being cut for not reading them. */
  readonly fits: (bytes: number) => boolean
}

/** What a connection is made of. */
export interface ConnectionParts {
  readonly request: ConnectRequest
  readonly identified: Identified
  /** As the client says; default: its id. */
  readonly fingerprint?: string | undefined
  readonly outlet: Outlet
}

/** See {@link RoomConnection}. */
export class Connection implements RoomConnection {
  readonly id: string = randomUUID()
  readonly user: string | undefined
  readonly data: unknown
  readonly fingerprint: string
  readonly request: ConnectRequest
  readonly connectedAt: number = Date.now()
  /** Changed by membership alone. */
  readonly memberOf = new Set<string>()
  readonly joining = new Set<string>()
  /** What was asked for, one after the other. */
  turn: Promise<void> = Promise.resolve()
  totalActions = 0
  pendingActions = 0
  pendingEvents = 0
  isClosed = false
  /** It is told to go: nothing that it says counts any more. */
  isLeaving = false
  readonly #outlet: Outlet
  readonly #waiting = new Map<number, (data: unknown) => void>()
  #asked = 0
  #owed: Set<Promise<void>> | undefined
  /** Where each receiver gets texts of its own: behind what is on its way already. */
  #behind: Promise<void> | undefined

  constructor({ request, identified, fingerprint = this.id, outlet }: ConnectionParts) {
    this.request = request
    this.user = identified.user
    this.data = identified.data
    this.fingerprint = fingerprint
    this.#outlet = outlet
  }

  get rooms(): readonly string[] {
    return [...this.memberOf]
  }

  send(message: unknown): void {
    // By itself: in an object JSON leaves out what it cannot hold.
    this.push(new Parcel([`{"context":"user","from":"0","message":${textOf(message)},"sentAt":${Date.now()}}`]))
  }

  disconnect({ code = 1000, reason = '' }: DisconnectOptions = {}): void {
    checkDisconnect({ code, reason })
    this.isLeaving = true
    this.#outlet.close(code, reason)
  }

  /** Sends an object of ours. */
  reply(message: object): void {
    this.push(new Parcel([textOf(message)]))
  }

  push(parcel: Parcel): void {
    if (this.isClosed) return
    if (this.#behind === undefined) this.#outlet.push(parcel)
    else this.pushLater(Promise.resolve(parcel))
  }

  /** Resolves when the client has heard most of what it was sent, or is gone. */
  async drained(): Promise<void> {
    await this.#behind
    await this.#outlet.drained()
  }

  /** Whether the texts can be sent now without its being cut for not reading them. */
  fits(texts: readonly string[]): boolean {
    return this.#outlet.fits(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0))
  }

  /** Sends what is made just now, behind what was sent before and before what is sent after. It must not reject. */
  pushLater(made: Promise<Parcel | undefined>): void {
    const sent = this.#sendBehind(made, this.#behind)
    this.#behind = sent
    void sent.then(() => {
      if (this.#behind === sent) this.#behind = undefined
    })
  }

  /** Sends an event and waits for its acknowledgement; undefined if none came in time. */
  ask(event: string, data: unknown, timeoutMs: number, more: object = {}): Promise<{ data: unknown } | undefined> {
    if (this.isClosed) return Promise.resolve(undefined)
    this.#asked += 1
    const ackId = this.#asked
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(ackId, undefined), timeoutMs)
      this.#waiting.set(ackId, (answer) => {
        clearTimeout(timer)
        resolve(answer as { data: unknown } | undefined)
      })
      this.reply({ ...more, context: 'event', event, data: data ?? null, ackId })
    })
  }

  /** The client acknowledges; whether anybody waits for that. */
  acknowledge(ackId: unknown, data: unknown): boolean {
    return this.#settle(ackId, { data })
  }

  /** An answer is being made, beside those that come in their turn. It must not reject. */
  owe(answer: Promise<void>): void {
    this.#owed ??= new Set()
    const owed = this.#owed.add(answer)
    void answer.then(() => owed.delete(answer))
  }

  /** Resolves when all that was asked for by now is answered. */
  async answered(): Promise<void> {
    await this.turn
    await Promise.all(this.#owed ?? [])
  }

  /** Nothing is sent any more. */
  end(): void {
    this.isClosed = true
    for (const ackId of [...this.#waiting.keys()]) this.#settle(ackId, undefined)
  }

  async #sendBehind(made: Promise<Parcel | undefined>, before: Promise<void> | undefined): Promise<void> {
    const parcel = await made
    await before
    if (parcel !== undefined && !this.isClosed) this.#outlet.push(parcel)
  }

  #settle(ackId: unknown, answer: { data: unknown } | undefined): boolean {
    const settle = this.#waiting.get(ackId as number)
    this.#waiting.delete(ackId as number)
    settle?.(answer)
    return settle !== undefined
  }
}

/** Throws `AH_ROOMS_OPTIONS` for codes and reasons that may not be sent. */
export function checkDisconnect({ code = 1000, reason = '' }: DisconnectOptions): void {
  const isCode = code === 1000 || (Number.isInteger(code) && code >= 4000 && code <= 4999)
  if (isCode && typeof reason === 'string' && Buffer.byteLength(reason) <= 123) return
  throw new AH_ROOMS_OPTIONS(
    `disconnect: expected a code of 1000 or 4000 to 4999 and a reason of at most 123 bytes, got ${shown(code)} and ${shown(reason)}`,
  )
}

/** The value as JSON; throws `AH_ROOMS_MESSAGE` for what JSON cannot hold. */
export function textOf(value: unknown, what = 'the message'): string {
  let text: string | undefined
  let cause: unknown
  try {
    text = JSON.stringify(value)
  } catch (thrown) {
    cause = thrown
  }
  if (text !== undefined) return text
  const why = cause instanceof Error ? cause.message : `it is ${typeof value}`
  throw new AH_ROOMS_MESSAGE(`${what} cannot be sent as JSON: ${why}`, { cause })
}
