// Owns the order of messages: ids are `<ms by Redis>-<number>`, as those of streams.

/** Below zero if `a` is earlier than `b`. */
export function compareIds(a: string, b: string): number {
  const [aMs, aNumber] = partsOf(a)
  const [bMs, bNumber] = partsOf(b)
  return aMs - bMs || aNumber - bNumber
}

/** Whether a client may say that it has heard that one. */
export function isMessageId(id: unknown): id is string {
  return typeof id === 'string' && /^\d{1,15}-\d{1,15}$/.test(id)
}

function partsOf(id: string): [number, number] {
  const dash = id.indexOf('-')
  return [Number(id.slice(0, dash)), Number(id.slice(dash + 1))]
}
