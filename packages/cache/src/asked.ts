// What can be asked of one key in a tick, and how a tick's questions are put into an order that may be sent in groups.

/** The value and its lock. */
export interface Read {
  readonly kind: 'read'
  readonly value: string
  readonly lock: string
}

/** Likewise, and the value lives on for `ttl` ms if this owner may see it. */
export interface Renewal {
  readonly kind: 'renewal'
  readonly value: string
  readonly lock: string
  readonly owner: string
  readonly ttl: number
}

/** Stores bytes, for `ttl` ms or for ever, unless another owner holds the lock. */
export interface Save {
  readonly kind: 'save'
  readonly value: string
  readonly lock: string
  readonly owner: string
  readonly bytes: string
  readonly ttl: number | undefined
}

export type Asked = Read | Renewal | Save

/** The bytes of a value and the holder of its lock, null for what is not there. */
export type Pair = readonly [bytes: string | null, holder: string | null]

/** What is answered: a pair to reads and renewals; 1, or 0 for a key that another locked, to saves. */
export type Answer = Pair | number

/** An item and its place in the tick. */
export interface Placed<T extends Asked> {
  readonly item: T
  readonly place: number
}

/** Sent group by group: all reads, then all renewals, then all saves. */
export interface Segment {
  readonly reads: Placed<Read>[]
  readonly renewals: Placed<Renewal>[]
  readonly saves: Placed<Save>[]
}

// The order of the groups in a segment.
const group = { read: 0, renewal: 1, save: 2 } as const

/**
 * Cuts a tick's items into segments so that no two of one key change their order: an item whose key was asked for
 * something of a later group begins a new segment.
 */
export function segmentsOf(items: readonly Asked[]): Segment[] {
  if (items.every(({ kind }) => kind === 'read')) {
    return [{ reads: items.map((item, place) => ({ item: item as Read, place })), renewals: [], saves: [] }]
  }
  const segments: Segment[] = []
  let segment: Segment | undefined
  /** The last group that a key is in, reads left out: nothing comes before those. */
  const latest = new Map<string, number>()
  for (const [place, item] of items.entries()) {
    const own = group[item.kind]
    if (segment === undefined || (latest.get(item.value) ?? 0) > own) {
      segment = { reads: [], renewals: [], saves: [] }
      segments.push(segment)
      latest.clear()
    }
    if (own > 0) latest.set(item.value, own)
    if (item.kind === 'read') segment.reads.push({ item, place })
    else if (item.kind === 'renewal') segment.renewals.push({ item, place })
    else segment.saves.push({ item, place })
  }
  return segments
}
