// What happened so far, in numbers.
import type { DropReason } from './types.ts'

/** Counted as it happens, by whoever sees it. */
export interface Counts {
  published: number
  received: number
  gaps: number
  handlerErrors: number
  readonly dropped: Record<DropReason, number>
}

export function makeCounts(): Counts {
  const dropped = { tooLarge: 0, malformed: 0, version: 0, foreign: 0, forged: 0, late: 0, replayed: 0, invalid: 0 }
  return { published: 0, received: 0, gaps: 0, handlerErrors: 0, dropped }
}
