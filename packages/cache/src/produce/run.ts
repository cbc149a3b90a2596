// One run of a `produce` function under its lease.
import { entryOf } from '../entry.ts'
import { AH_CACHE_LOCKED, AH_CACHE_PRODUCE_TIMEOUT } from '../errors.ts'
import { toJson } from '../json-text.ts'
import type { Scope } from '../scope.ts'
import { shown } from '../shown.ts'
import { Tags } from '../tags.ts'
import { traced, traces } from '../traces.ts'
import type { Producer } from '../types.ts'
import type { Lease } from './lease.ts'
import { lifeOf, type ProducePlan } from './produce-plan.ts'
import { errorText } from './remote-error.ts'
import type { Landing } from './shared-flight.ts'

/** What a run needs. */
export interface RunInput {
  readonly scope: Scope
  readonly lease: Lease
  readonly name: string
  readonly plan: ProducePlan
  readonly produce: Producer<unknown>
  /** When its time is over, on the monotonic clock. */
  readonly deadline: number
}

/**
 * Runs it, stores what it answers, and resolves to that; rejects with what it threw, which all who wait are
 * told; `onFailure` is, before they can be. A run that is not over by its deadline failed, whatever it answers later.
 */
export async function runProducer(
  { scope, lease, name, plan, produce, deadline }: RunInput,
  onFailure: () => void,
): Promise<Landing> {
  const { counts } = scope
  lease.keep()
  try {
    // Before it reads what it makes the value of: who invalidates a tag from now on has the value be gone.
    const tags = await new Tags(scope).versions(plan.tags)
    const late = (): Error => new AH_CACHE_PRODUCE_TIMEOUT(shown(name), plan.timeoutMs)
    const run = (): Promise<unknown> => inTime(deadline - performance.now(), produce, late)
    const json = toJson(await traced(traces.produce, scope, name, run))
    const now = Date.now()
    const { ttl, times } = lifeOf(plan, now)
    const bytes = entryOf(json, now, { ...times, tags })
    const settled = await lease.settle(bytes, ttl)
    if (settled === 0) throw new AH_CACHE_LOCKED(shown(name))
    counts.produced += 1
    if (settled !== 1) counts.discarded += 1
    return { bytes, isStored: settled === 1 }
  } catch (thrown) {
    onFailure()
    counts.produceFailed += 1
    // If they cannot be told, the lease ends and one of them tries.
    await lease.fail(errorText(thrown)).catch(() => undefined)
    throw thrown
  }
}

/** What the producer answers; rejects with the reason of its signal when the time is over. */
function inTime(ms: number, produce: Producer<unknown>, late: () => Error): Promise<unknown> {
  const over = new AbortController()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        const error = late()
        over.abort(error)
        reject(error)
      },
      Math.min(Math.max(0, ms), 2 ** 31 - 1),
    )
    const run = async () => produce(over.signal)
    run()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}
