// What was asked of lists and has not been answered yet: one batch a list and tick, in the order of the calls.
import { TickBatch } from 'fastify-ah-kit'
import type { RepeatGuard } from 'fastify-ah-kit/redis'
import type { CacheKeys } from './keys.ts'
import { type LocalTier, ownWrite } from './local-tier.ts'
import { changeList, type ListVerb } from './scripts/change-list.ts'
import type { Traffic } from './traffic.ts'

/** One operation on a list. */
export interface ListOperation {
  readonly verb: ListVerb
  readonly owner: string
  /** Of a push; else empty. */
  readonly element: string
}

/** What `change-list` answers for one operation. */
export type ListAnswer = string | number

type ListBatch = TickBatch<ListOperation, ListAnswer>

interface Lane {
  /** Takes operations; none until the first one after something else was asked of the key. */
  batch: ListBatch | undefined
  /** Over when all that was asked before `batch` is answered. */
  before: Promise<void> | undefined
}

/** Sends operations on lists. An element must not be pushed twice or lost, so each batch goes through a repeat guard. */
export class ListQueue {
  readonly #guard: RepeatGuard
  readonly #traffic: Traffic
  readonly #local: LocalTier | undefined
  /** By the list's key, only as long as something is under way. */
  readonly #lanes = new Map<string, Lane>()

  constructor(guard: RepeatGuard, traffic: Traffic, local: LocalTier | undefined) {
    this.#guard = guard
    this.#traffic = traffic
    this.#local = local
  }

  add(keys: CacheKeys, name: string, operation: ListOperation): Promise<ListAnswer> {
    const list = keys.value(name)
    let lane = this.#lanes.get(list)
    if (lane === undefined) {
      lane = { batch: undefined, before: undefined }
      this.#lanes.set(list, lane)
    }
    lane.batch ??= this.#open(list, lane, keys, name)
    const { batch } = lane
    return ownWrite(this.#local, [list], () => batch.add(operation))
  }

  /**
   * For anything else that is asked of the key: when the operations that were asked for before it are answered, or
   * undefined if there are none. Operations that are added from now on leave after it.
   */
  settle(list: string): Promise<void> | undefined {
    const lane = this.#lanes.get(list)
    if (lane === undefined) return undefined
    const { batch } = lane
    if (batch === undefined) return lane.before
    const before = batch.close().then(() => {
      if (lane.batch === undefined && lane.before === before) this.#lanes.delete(list)
    })
    lane.batch = undefined
    lane.before = before
    return before
  }

  #open(list: string, lane: Lane, keys: CacheKeys, name: string): ListBatch {
    const record = keys.listCall(name)
    const lock = keys.lock(name)
    const { before } = lane
    const batch: ListBatch = new TickBatch({
      name: list,
      serial: true,
      sizeOf: ({ element }) => element.length,
      send: async (operations) => {
        await before
        // What was asked of the key before the first of these.
        this.#traffic.flush(list)
        try {
          const args = operations.flatMap(({ verb, owner, element }) => [verb, owner, element])
          return await this.#guard.run<ListAnswer[]>(changeList, record, [list, lock], args)
        } finally {
          if (batch.waiting === 0 && lane.batch === batch) this.#lanes.delete(list)
        }
      },
    })
    return batch
  }
}
