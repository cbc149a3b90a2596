// The keys of one database in a fixed order, so that a SCAN whose keys are deleted on the way misses none.

import type { RedisDatabase, RedisDataValue, RedisMutationEvent } from 'js-redis-server/core'

/** A power of two. One million keys are 61 to a bucket, so a page is never much larger than asked for. */
const BUCKETS = 16_384

/** One page of keys, and the cursor of the page behind it (0: there is none). */
export interface KeyPage {
  readonly keys: readonly Buffer[]
  readonly next: number
}

/**
 * js-redis-server counts its SCAN cursor in keys: whoever deletes a page makes the next one skip as many. Here a cursor
 * is the number of a bucket, and a key's bucket follows from its bytes alone.
 */
export class KeyIndex {
  #buckets: (Map<string, Buffer> | undefined)[] = []

  /** Takes in what happened to the database. */
  note(event: RedisMutationEvent): void {
    if (event.type === 'write') this.#add(event.key)
    else if (event.type === 'delete' || event.type === 'evict') this.#remove(event.key)
    else if (event.type === 'flush') this.#buckets = []
  }

  /** Whole buckets from `cursor` on, until there are `count` keys. */
  page(cursor: number, count: number): KeyPage {
    const keys: Buffer[] = []
    for (let number = cursor; number < this.#buckets.length; number++) {
      const bucket = this.#buckets[number]
      if (bucket) keys.push(...bucket.values())
      if (keys.length >= count && number + 1 < this.#buckets.length) return { keys, next: number + 1 }
    }
    return { keys, next: 0 }
  }

  #add(key: Buffer): void {
    const number = bucketOf(key)
    const name = key.toString('latin1')
    const bucket = this.#buckets[number]
    if (bucket === undefined) this.#buckets[number] = new Map([[name, key]])
    else if (!bucket.has(name)) bucket.set(name, key)
  }

  #remove(key: Buffer): void {
    this.#buckets[bucketOf(key)]?.delete(key.toString('latin1'))
  }
}

/** FNV-1a, 32 bits. */
function bucketOf(key: Buffer): number {
  let hash = 0x811c9dc5
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % BUCKETS
}

/**
 * The index of a database, kept up to date from here on.
 *
 * It listens in front of the database's own bus and passes writes on with an empty value of the same type: the bus hands
 * every listener a copy of the whole value, which made a push to a list of 100 000 items take 50 ms, and its listeners
 * (WATCH, blocked commands, keyspace notifications) look at key and type only.
 */
export function indexKeys({ mutations }: RedisDatabase): KeyIndex {
  const index = new KeyIndex()
  const emit = mutations.emit.bind(mutations)
  mutations.emit = (event) => {
    index.note(event)
    emit(event.type === 'write' ? { ...event, value: emptyValue(event.value.type) } : event)
  }
  return index
}

/** A value of this type with nothing in it. */
export function emptyValue(type: RedisDataValue['type']): RedisDataValue {
  switch (type) {
    case 'string':
      return { type, value: Buffer.alloc(0) }
    case 'list':
      return { type, values: [] }
    case 'set':
      return { type, members: new Map() }
    case 'hash':
      return { type, fields: new Map() }
    case 'zset':
      return { type, members: new Map() }
    case 'stream': {
      const none = { ms: 0n, seq: 0n }
      return { type, entries: [], lastId: none, entriesAdded: 0, maxDeletedEntryId: none, groups: new Map() }
    }
  }
}
