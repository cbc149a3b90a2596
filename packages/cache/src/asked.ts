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

/** Items of one kind, and the place of each in the tick. */
export class Group<T extends Asked> {
  readonly items: T[] = []
  readonly places: number[] = []

  add(item: T, place: number): void {
    this.items.push(item)
    this.places.push(place)
  }
}

/** Sent group by group: all reads, then all renewals, then all saves. */
export interface Segment {
  readonly reads: Group<Read>
  readonly renewals: Group<Renewal>
  readonly saves: Group<Save>
}

// The order of the groups in a segment.
const orderOf = { read: 0, renewal: 1, save: 2 } as const

/**
 * Cuts a tick's items into segments so that no two of one key change their order: an item whose key was asked for
 * something of a later group begins a new segment.
 */
export function segmentsOf(items: readonly Asked[]): Segment[] {
  const segments: Segment[] = []
  let segment: Segment | undefined
  /** The last group that a key is in, reads left out: nothing comes before those. */
  const latest = new Map<string, number>()
  for (let place = 0; place < items.length; place += 1) {
    const item = items[place] as Asked
    const order = orderOf[item.kind]
    if (segment === undefined || (latest.size > 0 && (latest.get(item.value) ?? 0) > order)) {
      segment = { reads: new Group(), renewals: new Group(), saves: new Group() }
      segments.push(segment)
      latest.clear()
    }
    if (order > 0) latest.set(item.value, order)
    if (item.kind === 'read') segment.reads.add(item, place)
    else if (item.kind === 'renewal') segment.renewals.add(item, place)
    else segment.saves.add(item, place)
  }
  return segments
}
