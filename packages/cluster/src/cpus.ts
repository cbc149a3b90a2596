// How many CPUs this process may use, and so how many workers make sense.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { posix } from 'node:path'

/** Reads a file of the kernel; undefined if there is none. */
type ReadText = (path: string) => string | undefined

/**
 * One worker for each CPU that the scheduler and the container's quota leave to this process; from 3 up one CPU is left
 * to the primary, the kernel and the neighbours.
 */
export function defaultWorkers(parallelism: number = availableParallelism(), read: ReadText = readIfThere): number {
  const cpus = availableCpus(parallelism, read)
  return cpus >= 3 ? cpus - 1 : cpus
}

/** Whole CPUs that the scheduler and the container's quota leave to this process, at least one. */
export function availableCpus(parallelism: number = availableParallelism(), read: ReadText = readIfThere): number {
  // libuv counts the quota itself from Node 22 on; counting it twice changes nothing.
  const quota = cgroupQuota(read)
  return Math.max(1, Math.min(parallelism, quota === undefined ? parallelism : Math.floor(quota)))
}

/** CPUs by the quota of the cgroup or of one above it, whichever is smallest. */
function cgroupQuota(read: ReadText): number | undefined {
  const quotas = cgroupFolders(read)
    .flatMap((folder) => [quotaV2(read(`${folder}/cpu.max`)), quotaV1(read, folder)])
    .filter((quota) => quota !== undefined)
  return quotas.length === 0 ? undefined : Math.min(...quotas)
}

function cgroupFolders(read: ReadText): string[] {
  const folders: string[] = []
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    // "0::/path" is version 2; "4:cpu,cpuacct:/path" the CPU controller of version 1.
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line)
    if (match === null) continue
    const controllers = match[1]!
    const root =
      controllers === '' ? '/sys/fs/cgroup' : controllers.split(',').includes('cpu') ? '/sys/fs/cgroup/cpu' : undefined
    if (root === undefined) continue
    for (let path = match[2]!; ; path = posix.dirname(path)) {
      folders.push(posix.join(root, path).replace(/\/$/, ''))
      if (path === '/' || path === '.') break
    }
  }
  return folders
}

/** `cpu.max`: "150000 100000", or "max 100000". */
function quotaV2(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? '').trim().split(' ').map(Number)
  return quota && period ? quota / period : undefined
}

function quotaV1(read: ReadText, folder: string): number | undefined {
  const quota = Number(read(`${folder}/cpu.cfs_quota_us`) ?? -1)
  const period = Number(read(`${folder}/cpu.cfs_period_us`) ?? 0)
  return quota > 0 && period > 0 ? quota / period : undefined
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // Not Linux, or no such controller, or hidden from us: then it limits nothing that we can know of.
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
