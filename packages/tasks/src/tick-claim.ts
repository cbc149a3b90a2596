// Owns what is asked of Redis for a tick of a recurring task: its job, and for how long that keeps later ones away.
import type { Definition } from './definition.ts'
import { encodeBare, withMeta } from './payload.ts'
import type { TickClaim } from './store/ticks.ts'

// A job that is neither finished nor seen for so long no longer keeps later ticks from being enqueued.
const shortestOpenMs = 60_000
const longestOpenMs = 3_600_000

/** When a tick is claimed. */
export interface TickTimes {
  /** The plan as it was read. */
  readonly expected: number | undefined
  readonly next: number
  /** What the job is of. */
  readonly tick: number
  readonly now: number
  /** False: it is only planned. */
  readonly hasJob: boolean
}

export function claimOf({ name, queue }: Definition, { expected, next, tick, now, hasJob }: TickTimes): TickClaim {
  const payload = withMeta(encodeBare(queue, name, [{}]), { v: 1, id: `${name}:${tick}`, tick })
  const openMs = Math.min(Math.max((next - now) * 5, shortestOpenMs), longestOpenMs)
  return { task: name, expected, next, tick, queue, payload: hasJob ? payload : undefined, openMs }
}
