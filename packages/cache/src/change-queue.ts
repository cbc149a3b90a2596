// Changes that must be applied exactly once (of lists and counters) and have not been answered yet: one batch a key and
// tick, in the order of the calls.
import { TickBatch } from 'fastify-ah-kit'
import type { RepeatGuard } from 'fastify-ah-kit/redis'
import type { CacheKeys } from './keys.ts'
import { type LocalTier, ownWrite } from './local-tier.ts'
import { type ChangeVerb, changeKey } from './scripts/change-key.ts'
import type { Traffic } from './traffic.ts'

/** One change of a key. */
export interface Change {
  readonly verb: ChangeVerb
  readonly owner: string
  /** The element of a push, the terms of an increment (see the script); else empty. */
  readonly what: string
}

/** What the script answers for one change. */
export type ChangeAnswer = string | number

type ChangeBatch = TickBatch<Change, ChangeAnswer>

interface Lane {
  /** Takes changes; none until the first one after something else was asked of the key. */
  batch: ChangeBatch | undefined
  /** Over when all that was asked before `batch` is answered. */
  before: Promise<void> | undefined
}

/** An element must not be pushed twice or lost, nor an increment count twice: each batch goes through a repeat guard. */
export class ChangeQueue {
  readonly #guard: RepeatGuard
  readonly #traffic: Traffic
  readonly #local: LocalTier | undefined
  /** By the key, only as long as something is under way. */
  readonly #lanes = new Map<string, Lane>()

  constructor(guard: RepeatGuard, traffic: Traffic, local: LocalTier | undefined) {
    this.#guard = guard
    this.#traffic = traffic
    this.#local = local
  }

  add(keys: CacheKeys, name: string, change: Change): Promise<ChangeAnswer> {
    const key = keys.value(name)
    const lane = this.#lane(key)
    lane.batch ??= this.#open(key, lane, keys, name)
    const { batch } = lane
    return ownWrite(this.#local, [key], () => batch.add(change))
  }

  /**
   * Anything else that is asked of the key: once the changes that were asked for before it are answered, in this very
   * call if there are none. Changes that are added from now on leave after it.
   */
  after<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const before = this.settle(key)
    return before === undefined ? ask() : before.then(ask)
  }

  /**
   * The same for what is done once however often it arrives, as a change is: behind the answers of the key's saves too.
   * After a cut a save is done again; what came behind it would not be, and so be undone.
   */
  afterSaves<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const before = this.settle(key) ?? this.#traffic.savesOf(key)
    if (before === undefined) return ask()
    const answer = before.then(() => this.#traffic.savesOf(key)).then(ask)
    this.hold(key, answer)
    return answer
  }

  /** When the changes of the key that were asked for so far are answered; undefined if there are none. */
  settle(key: string): Promise<void> | undefined {
    // Most often there is none at all; to look for a key that was just put together costs more than all of this.
    const lane = this.#lanes.size === 0 ? undefined : this.#lanes.get(key)
    if (lane === undefined) return undefined
    return lane.batch === undefined ? lane.before : this.#close(key, lane, lane.batch.close())
  }

  /** For what takes more than one trip: all that is asked of the key from now on leaves after `work`, however it ends. */
  hold(key: string, work: Promise<unknown>): void {
    const lane = this.#lane(key)
    const earlier = lane.batch === undefined ? lane.before : lane.batch.close()
    void this.#close(key, lane, Promise.allSettled([earlier, work]))
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { batch: undefined, before: undefined }
      this.#lanes.set(key, lane)
    }
    return lane
  }

  #close(key: string, lane: Lane, over: Promise<unknown>): Promise<void> {
    const before = over.then(() => {
      if (lane.batch === undefined && lane.before === before) this.#lanes.delete(key)
    })
    lane.batch = undefined
    lane.before = before
    return before
  }

  #open(key: string, lane: Lane, keys: CacheKeys, name: string): ChangeBatch {
    const record = keys.changeCall(name)
    const lock = keys.lock(name)
    const { before } = lane
    const batch: ChangeBatch = new TickBatch({
      name: key,
      serial: true,
      sizeOf: ({ what }) => what.length,
      send: async (changes) => {
        await before
        // What was asked of the key before the first of these.
        this.#traffic.flush(key)
        await this.#traffic.savesOf(key)
        try {
          const args = changes.flatMap(({ verb, owner, what }) => [verb, owner, what])
          return await this.#guard.run<ChangeAnswer[]>(changeKey, record, [key, lock], args)
        } finally {
          if (batch.waiting === 0 && lane.batch === batch) this.#lanes.delete(key)
        }
      },
    })
    return batch
  }
}
