// A channel with one kind of data, checked by a schema where there is one.
import { AH_PUBSUB_INVALID } from './errors.ts'
import type { Check } from './schema.ts'
import type { Channel, ChannelSubscription, MessageHandler, MessageInfo } from './types.ts'

/** What it stands on. */
export interface TypedChannelOptions {
  readonly name: string
  readonly check: Check | undefined
  readonly publish: (name: string, data: unknown) => Promise<void>
  readonly subscribe: (name: string, handler: MessageHandler) => Promise<ChannelSubscription>
  /** A message came that does not fit. */
  readonly onInvalid: (info: MessageInfo, wrong: string) => void
}

/** See {@link Channel}. */
export class TypedChannel<Data> implements Channel<Data> {
  readonly name: string
  readonly #options: TypedChannelOptions

  constructor(options: TypedChannelOptions) {
    this.name = options.name
    this.#options = options
  }

  /** Rejects with `AH_PUBSUB_INVALID` before anything is sent. */
  async publish(data: Data): Promise<void> {
    const { check, publish } = this.#options
    const wrong = check?.(data)
    if (wrong !== undefined) throw new AH_PUBSUB_INVALID(wrong)
    await publish(this.name, data)
  }

  subscribe(handler: MessageHandler<Data>): Promise<ChannelSubscription> {
    const { check, subscribe, onInvalid } = this.#options
    if (check === undefined) return subscribe(this.name, handler as MessageHandler)
    return subscribe(this.name, (data, info) => {
      const wrong = check(data)
      if (wrong === undefined) return handler(data as Data, info)
      // Of another release, or of somebody who publishes without the check.
      onInvalid(info, wrong)
      return undefined
    })
  }
}
