// A file that says which process runs: written as a whole, held by one, removed by its owner alone.
import { linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AH_CLUSTER_PID_FILE } from './errors.ts'
import { isAlive, startOf } from './process-age.ts'

// A file's time and a process's start come from different clocks of the kernel.
const CLOCKS_APART_MS = 2_000
const LONGEST = 32

/** What a pid file says of the process that it names. */
export interface PidFileReading {
  /** Undefined if there is no pid in it. */
  readonly pid: number | undefined
  /** Whether that process runs and is the one that wrote the file. */
  readonly isLive: boolean
}

/** A pid file that is ours. */
export class PidFile {
  readonly path: string

  /**
   * Writes our pid; its folder is made if need be. What a dead process left is replaced.
   * Throws `AH_CLUSTER_PID_FILE` if the owner lives, if something else stands there, or if it cannot be written.
   */
  static claim(path: string): PidFile {
    // Written beside it and linked: nobody ever reads half a pid, and the link is refused where there is a file.
    const draft = `${path}.${process.pid}`
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(draft, `${process.pid}\n`)
    } catch (cause) {
      throw unwritable(path, cause)
    }
    try {
      while (!isLinked(draft, path)) removeStale(path)
      return new PidFile(path)
    } finally {
      rmSync(draft, { force: true })
    }
  }

  private constructor(path: string) {
    this.path = path
  }

  /** Removes it, unless another process has taken it over. */
  release(): void {
    if (readPidFile(this.path)?.pid === process.pid) rmSync(this.path, { force: true })
  }
}

/** Undefined if there is no such file. Throws `AH_CLUSTER_PID_FILE` for what is no plain file, or cannot be read. */
export function readPidFile(path: string): PidFileReading | undefined {
  try {
    const stats = lstatSync(path)
    if (!stats.isFile()) {
      throw new AH_CLUSTER_PID_FILE(
        `${path} is ${stats.isDirectory() ? 'a folder' : 'no plain file'}; it is left alone`,
      )
    }
    const text = readFileSync(path, 'latin1').slice(0, LONGEST).trim()
    const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
    return { pid, isLive: pid !== undefined && isOwner(pid, stats.mtimeMs) }
  } catch (cause) {
    if (cause instanceof AH_CLUSTER_PID_FILE) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new AH_CLUSTER_PID_FILE(`the pid file cannot be read: ${message}`, { cause })
  }
}

/** A process that began after the file was written got the pid of the one that wrote it: after a reboot, in a container. */
function isOwner(pid: number, writtenAt: number): boolean {
  // In a container each primary may have the same pid: ours is an earlier one's unless we wrote it ourselves.
  if (pid === process.pid) return writtenAt >= performance.timeOrigin
  if (!isAlive(pid)) return false
  const startedAt = startOf(pid)
  return startedAt === undefined || startedAt <= writtenAt + CLOCKS_APART_MS
}

function isLinked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw unwritable(path, cause)
  }
}

/** Moved away before it goes: of two that find the same stale file, the later one must not remove the earlier one's. */
function removeStale(path: string): void {
  const seen = readPidFile(path)
  if (seen === undefined) return
  if (seen.isLive) {
    throw new AH_CLUSTER_PID_FILE(
      `already running: pid ${seen.pid} by ${path}; stop it, or give this one another folder with --pids`,
    )
  }
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw unwritable(path, cause)
  }
  const moved = readPidFile(aside)
  if (moved?.isLive) isLinked(aside, path)
  rmSync(aside, { force: true })
}

function unwritable(path: string, cause: unknown): Error {
  return new AH_CLUSTER_PID_FILE(
    `the pid file ${path} cannot be written: ${(cause as Error).message}; give another folder with --pids`,
    { cause },
  )
}
