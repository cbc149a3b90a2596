// A message of a channel on its way to clients.
import sjson from 'secure-json-parse'

/** Written once, however many websockets it goes to. */
export class Delivery {
  /** Tells it from every other. */
  readonly id: string
  readonly channel: string
  readonly data: unknown
  #text: string | undefined

  constructor(id: string, channel: string, data: unknown) {
    this.id = id
    this.channel = channel
    this.data = data
  }

  /** As Bayeux knows it. */
  get message(): object {
    return { channel: this.channel, data: this.data }
  }

  /** The same as JSON. */
  get text(): string {
    this.#text ??= JSON.stringify(this.message)
    return this.#text
  }
}

/** Messages that another process sent or left, as a list or as JSON, whatever it wrote. */
export function deliveriesIn(given: unknown): Delivery[] {
  const list: unknown = typeof given === 'string' ? sjson.safeParse(given) : given
  return Array.isArray(list) ? list.flatMap(deliveryOf) : []
}

function deliveryOf(value: unknown): Delivery[] {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'data')) return []
  const { id, channel, data } = value as Record<string, unknown>
  return typeof id === 'string' && typeof channel === 'string' ? [new Delivery(id, channel, data)] : []
}
