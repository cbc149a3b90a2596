// How evenly open connections lie on the workers: with how many each shall leave new ones to the others.
import type { WorkerHandle } from './worker-handle.ts'

// Above this share of the mean a worker stops listening …
const TOO_MANY = 1.5
// … and below this one it listens again: a gap, so that it does not do so with every connection.
const FEW_AGAIN = 1.25
/**
 * Fewer connections than this are never too many: short ones come and go, in the hundreds where each carries one request,
 * and to stop listening for them costs more than it evens out.
 */
export const LEAST_CEILING = 256

/** What the workers are to be told. */
export interface BalanceOrders {
  /** Connections with which each stops listening. */
  readonly ceiling: number
  /** Those that shall listen again. */
  readonly reopen: readonly WorkerHandle[]
}

/**
 * The kernel wakes whichever worker comes first to a shared socket, so long connections pile up on a few. `silent` ones
 * count neither as listeners nor in the mean: who does not answer does not accept either.
 */
export function balanceOf(
  listening: readonly WorkerHandle[],
  isSilent: (worker: WorkerHandle) => boolean,
): BalanceOrders {
  const all = listening.filter((worker) => !isSilent(worker))
  const count = (worker: WorkerHandle) => worker.vitals?.connections ?? 0
  const mean = all.reduce((sum, worker) => sum + count(worker), 0) / Math.max(1, all.length)
  const ceiling = all.length < 2 ? Number.MAX_SAFE_INTEGER : Math.max(LEAST_CEILING, Math.ceil(mean * TOO_MANY))
  const reopen = all.filter((worker) => worker.isShut && count(worker) < Math.max(LEAST_CEILING, mean * FEW_AGAIN))
  if (reopen.length > 0 || all.length === 0 || all.some(({ isShut }) => !isShut)) return { ceiling, reopen }
  // Somebody must listen: the one with the fewest.
  return { ceiling, reopen: [all.reduce((least, worker) => (count(worker) < count(least) ? worker : least))] }
}
