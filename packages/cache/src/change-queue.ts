// Changes that must be applied exactly once (of lists and counters) and have not been answered yet: one batch a key and
// tick, in the order of the calls.
import { TickBatch } from 'fastify-ah-kit'
import type { RepeatGuard } from 'fastify-ah-kit/redis'
import type { CacheKeys } from './keys.ts'
import { type LocalTier, ownWrite } from './local-tier.ts'
import { Outage } from './outage.ts'
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

interface Waiting {
  readonly change: Change
  readonly askedAt: number
}

type ChangeBatch = TickBatch<Waiting, ChangeAnswer>

interface Lane {
  /** Takes changes; none until the first one after something else was asked of the key. */
  batch: ChangeBatch | undefined
  /** Over when all that was asked before `batch` is answered. */
  before: Promise<void> | undefined
  readonly outage: Outage
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
    return ownWrite(this.#local, [key], () => batch.add({ change, askedAt: performance.now() }))
  }

  /**
   * Anything else that is asked of the key: once the changes that were asked for before it are answered, in this very
   * call if there are none. Changes that are added from now on leave after it.
   */
  after<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const before = this.settle(key)
    return before === undefined ? ask() : before.then(unlessOut(this.#lane(key), ask))
  }

  /**
   * The same for what is done once however often it arrives, as a change is: behind the answers of the key's saves too.
   * After a cut a save is done again; what came behind it would not be, and so be undone.
   */
  afterSaves<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const [before, saves] = [this.settle(key), this.#traffic.savesOf(key)]
    if (before === undefined && saves === undefined) return ask()
    const lane = this.#lane(key)
    const answer = Promise.all([before, note(lane, saves)])
      // Those that waited for changes too have left by now.
      .then(() => note(lane, this.#traffic.savesOf(key)))
      .then(unlessOut(lane, ask))
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
    void this.#close(key, lane, note(lane, Promise.allSettled([earlier, work])))
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { batch: undefined, before: undefined, outage: new Outage() }
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
    const send = this.#sender(key, lane, [keys.changeCall(name), keys.lock(name)])
    const { before } = lane
    const batch: ChangeBatch = new TickBatch({
      name: key,
      serial: true,
      sizeOf: ({ change }) => change.what.length,
      send: async (waiting) => {
        try {
          await before
          // What was asked of the key before the first of these leaves here; its saves are waited for.
          const saves = this.#traffic.savesOf(key)
          if (saves !== undefined) await note(lane, saves)
          return await send(waiting)
        } finally {
          if (batch.waiting === 0 && lane.batch === batch) this.#lanes.delete(key)
        }
      },
    })
    return batch
  }

  #sender(key: string, { outage }: Lane, [record, lock]: readonly [string, string]) {
    return async (waiting: readonly Waiting[]): Promise<(ChangeAnswer | Error)[]> => {
      const lost = waiting.map(({ askedAt }) => outage.since(askedAt))
      const changes = waiting.filter((_, index) => lost[index] === undefined)
      if (changes.length === 0) return lost as Error[]
      const args = changes.flatMap(({ change: { verb, owner, what } }) => [verb, owner, what])
      try {
        const answers = await this.#guard.run<ChangeAnswer[]>(changeKey, record, [key, lock], args)
        if (changes.length === waiting.length) return answers
        const left = answers.values()
        return lost.map((error) => error ?? (left.next().value as ChangeAnswer))
      } catch (error) {
        outage.note(error)
        throw error
      }
    }
  }
}

/** Takes note of what was not answered, of single calls and of batches. */
async function note({ outage }: Lane, calls: Promise<PromiseSettledResult<unknown>[]> | undefined): Promise<void> {
  for (const call of (await calls) ?? []) {
    if (call.status === 'rejected') outage.note(call.reason)
    else if (Array.isArray(call.value)) for (const answer of call.value) outage.note(answer)
  }
}

function unlessOut<T>({ outage }: Lane, ask: () => Promise<T>): () => Promise<T> {
  const askedAt = performance.now()
  return () => {
    const error = outage.since(askedAt)
    return error === undefined ? ask() : Promise.reject(error)
  }
}
