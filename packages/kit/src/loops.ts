// Which loops run in this process, for those who ask whether any of them stands still.

/** A loop, as far as those who watch it need to know it. */
export interface WatchedLoop {
  readonly name: string
  /** Steps that failed since the last one that did not. */
  readonly failures: number
  /**
   * How long it has been at a step, or has failed, since it last got one done, in ms; 0 while it sleeps after one, and as
   * long as its step may wait by design.
   */
  readonly stalledMs: number
}

/**
 * A loop that has got nothing done for so long, in ms, stands still. A command to Redis has its answer or error within
 * 5 s, so several tries were in vain by then.
 */
export const stalledAfterMs = 30_000

const loopsSymbol = Symbol.for('fastify-ah.loops')

/** The loops of this process (of this thread) that were started and not stopped; all copies of this package share them. */
export function runningLoops(): Set<WatchedLoop> {
  const kept = globalThis as unknown as Record<symbol, Set<WatchedLoop> | undefined>
  const found = kept[loopsSymbol]
  if (found !== undefined) return found
  const made = new Set<WatchedLoop>()
  Object.defineProperty(globalThis, loopsSymbol, { value: made })
  return made
}

/** A readiness check: true, or which loops stand still. */
export function loopsGoOn(): true | string {
  const stalled = [...runningLoops()].filter(({ stalledMs }) => stalledMs > stalledAfterMs)
  if (stalled.length === 0) return true
  return stalled.map(({ name, stalledMs }) => `${name} for ${Math.round(stalledMs / 1000)} s`).join(', ')
}
