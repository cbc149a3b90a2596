// One Redis name that this app subscribes to, and the handlers behind it.
import type { ChannelName } from './channel-name.ts'
import { Sequence } from './sequence.ts'
import type { MessageHandler } from './types.ts'

/** What a handler is called through: it may check the data first, and say no. */
export type Receiver = MessageHandler

/** A subscription of the app: one in Redis, however many handlers. */
export class Subscription {
  /** As the user wrote it. */
  readonly channel: ChannelName
  /** In Redis. */
  readonly redisName: string
  /** Whether its frames are signed. */
  readonly isSigned: boolean
  readonly sequence = new Sequence()
  /** Nothing that left earlier was meant for us; in ms of the monotonic clock. */
  readonly since: number = performance.now()
  /** Replaced, never changed: whoever is called just now calls all that were there when the message came. */
  handlers: readonly Receiver[] = []

  constructor(channel: ChannelName, redisName: string, isSigned: boolean) {
    this.channel = channel
    this.redisName = redisName
    this.isSigned = isSigned
  }

  /** Of this package itself: nobody else is told of it. */
  get isOurs(): boolean {
    return this.isSigned && this.channel.segments[1] !== 'app'
  }

  add(handler: Receiver): void {
    this.handlers = [...this.handlers, handler]
  }

  /** Removes it once: a handler may stand there twice. */
  remove(handler: Receiver): void {
    const place = this.handlers.indexOf(handler)
    this.handlers = this.handlers.filter((_, index) => index !== place)
  }
}
