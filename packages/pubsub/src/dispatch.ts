// Hands a frame's messages to the handlers of this app.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { Counts } from './counts.ts'
import type { Frame } from './frame.ts'
import type { Subscription } from './subscription.ts'
import { tracedDelivery, traces } from './traces.ts'
import type { MessageInfo } from './types.ts'

/** One message's head; its id is only put together for who asks. */
class Info implements MessageInfo {
  readonly channel: string
  readonly from: string
  readonly at: number
  readonly #seq: number
  readonly #index: number

  constructor({ channel, boot, at, seq }: Frame, index: number) {
    this.channel = channel
    this.from = boot
    this.at = at
    this.#seq = seq
    this.#index = index
  }

  get id(): string {
    return `${this.from}:${this.#seq}:${this.#index}:${this.channel}`
  }
}

/** Calls each handler with each message, in the order of both. What one of them throws is logged and counted. */
export function dispatch(frame: Frame, subscription: Subscription, counts: Counts, log: FastifyBaseLogger): void {
  const fail = (thrown: unknown): void => {
    counts.handlerErrors += 1
    log.error({ err: toError(thrown), channel: frame.channel }, 'a handler of a channel failed')
  }
  const { items } = frame
  // Counted: this runs for every message.
  for (let index = 0; index < items.length; index += 1) {
    const data = items[index]
    const info = new Info(frame, index)
    counts.received += 1
    // Asked for anew each time: who unsubscribes in the middle of a frame hears no more of it.
    for (const handler of subscription.handlers) {
      try {
        const answer =
          traces.deliver.hasSubscribers && !subscription.isOurs
            ? tracedDelivery(traceOf(frame, index), () => handler(data, info))
            : handler(data, info)
        if (isThenable(answer)) answer.then(undefined, fail)
      } catch (thrown) {
        fail(thrown)
      }
    }
  }
}

function traceOf({ channel, boot, items, carriers }: Frame, index: number): Parameters<typeof tracedDelivery>[0] {
  return { channel, data: items[index], from: boot, carried: carriers?.[index] }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
}
