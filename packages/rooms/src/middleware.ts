// What stands around joins, leaves and messages, in ActionHero's order.
import { AH_ROOMS_MIDDLEWARE } from './errors.ts'
import { shown } from './shown.ts'
import type { RoomConnection, RoomMessage, RoomMiddleware } from './types.ts'

const hooks = ['join', 'leave', 'onSayReceive', 'say'] as const
const defaultPriority = 100

/** Sorted by priority, equal ones as they were added. */
export class Middlewares {
  #all: readonly RoomMiddleware[] = []

  /** Throws `AH_ROOMS_MIDDLEWARE` for what is none, or of a name that is there. */
  add(middleware: RoomMiddleware): void {
    check(middleware)
    if (this.#all.some(({ name }) => name === middleware.name)) {
      throw new AH_ROOMS_MIDDLEWARE(`addMiddleware: there is one called ${shown(middleware.name)} already`)
    }
    const priority = ({ priority: own = defaultPriority }: RoomMiddleware): number => own
    this.#all = [...this.#all, middleware].sort((a, b) => priority(a) - priority(b))
  }

  has(hook: (typeof hooks)[number]): boolean {
    return this.#all.some((middleware) => middleware[hook] !== undefined)
  }

  async runJoin(connection: RoomConnection, room: string): Promise<void> {
    for (const middleware of this.#all) await middleware.join?.(connection, room)
  }

  async runLeave(connection: RoomConnection, room: string): Promise<void> {
    for (const middleware of this.#all) await middleware.leave?.(connection, room)
  }

  /** The message that is to be said; null for none. */
  async runOnSayReceive(connection: RoomConnection | null, message: RoomMessage): Promise<RoomMessage | null> {
    let current: RoomMessage | null = message
    for (const middleware of this.#all) {
      if (middleware.onSayReceive === undefined) continue
      current = checked(middleware, await middleware.onSayReceive(connection, message.room, current))
      if (current === null) return null
    }
    return current
  }

  /** The message that this receiver gets; null for none. */
  async runSay(connection: RoomConnection, message: RoomMessage): Promise<RoomMessage | null> {
    let current: RoomMessage | null = message
    for (const middleware of this.#all) {
      if (middleware.say === undefined) continue
      current = checked(middleware, await middleware.say(connection, message.room, current))
      if (current === null) return null
    }
    return current
  }
}

function check(middleware: unknown): void {
  const isObject = typeof middleware === 'object' && middleware !== null
  const { name, priority = defaultPriority, ...rest } = isObject ? (middleware as Record<string, unknown>) : {}
  const isSound =
    isObject &&
    typeof name === 'string' &&
    name !== '' &&
    Number.isFinite(priority) &&
    Object.entries(rest).every(
      ([key, hook]) => (hooks as readonly string[]).includes(key) && ['function', 'undefined'].includes(typeof hook),
    )
  if (isSound) return
  throw new AH_ROOMS_MIDDLEWARE(
    `addMiddleware: expected { name, priority?, ${hooks.map((hook) => `${hook}?`).join(', ')} }, got ${shown(middleware)}`,
  )
}

function checked({ name }: RoomMiddleware, message: unknown): RoomMessage | null {
  if (message === null) return null
  if (typeof message === 'object' && 'message' in message) return message as RoomMessage
  throw new AH_ROOMS_MIDDLEWARE(
    `the middleware ${shown(name)} answered ${shown(message)}: expected the message, changed or not, or null for none`,
  )
}
