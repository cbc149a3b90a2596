// Owns how long a failed job waits for its next try.
import type { RetryPlan } from './resque-plugins.ts'

/**
 * The wait after the try `attempt`, in ms: grows by `factor`, and is shortened by a random part of up to `jitter`, so that
 * jobs which failed together do not come back together.
 */
export function backoffMs(
  { backoffMs: first, factor, jitter, maxBackoffMs, delaysMs }: RetryPlan,
  attempt: number,
  random: () => number = Math.random,
): number {
  if (delaysMs !== undefined) return delaysMs[Math.min(attempt, delaysMs.length) - 1] ?? first
  // Nothing times without end is not a number.
  const full = first === 0 ? 0 : Math.min(first * factor ** (attempt - 1), maxBackoffMs)
  return Math.round(full * (1 - jitter * random()))
}
