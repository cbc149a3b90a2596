// Whether the machine, or the container's share of it, is large enough for so many workers.
import { totalmem } from 'node:os'
import { availableCpus } from './cpus.ts'

/** What there is. */
export interface Capacity {
  readonly cpus: number
  readonly memoryMb: number
}

/** What a Fastify app takes before it holds anything of its own. */
const WORKER_MB = 64
const MB = 2 ** 20

/** What this process may use. */
export function capacity(): Capacity {
  // 0 or more than there is: the container has no limit.
  const limit = process.constrainedMemory()
  return {
    cpus: availableCpus(),
    memoryMb: Math.floor((limit > 0 ? Math.min(limit, totalmem()) : totalmem()) / MB),
  }
}

/** What there is to say of `workers`, each of which may grow to `maxRssMb`; nothing if they fit. */
export function warningsOf(workers: number, maxRssMb: number | undefined, { cpus, memoryMb }: Capacity): string[] {
  const warnings: string[] = []
  if (workers > cpus) {
    warnings.push(
      `${workers} workers are more than the ${cpus} CPUs that are available: they take turns, which makes each slower`,
    )
  }
  const needed = workers * (maxRssMb ?? WORKER_MB)
  if (needed > memoryMb) {
    const each =
      maxRssMb === undefined ? `about ${WORKER_MB} MB each, empty` : `up to ${maxRssMb} MB each (--max-rss-mb)`
    warnings.push(`${workers} workers take ${each}, ${needed} MB in all, and there are ${memoryMb} MB of memory`)
  }
  return warnings
}
