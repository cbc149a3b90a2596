// When a process was started: tells the owner of a pid file from a later process with the same pid.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

// What the kernel counts in for user space, on every architecture that Node runs on.
const TICKS_PER_SECOND = 100
const PS_MS = 2_000

/** Whether a process of this pid runs; one of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Its start, in ms since 1970; undefined if it does not run or the system does not say. */
export function startOf(pid: number): number | undefined {
  const age = process.platform === 'linux' ? ageByProc(pid) : ageByPs(pid)
  return age === undefined ? undefined : Date.now() - age
}

/** In ms. By the uptime, which does not jump when the clock is set. */
function ageByProc(pid: number): number | undefined {
  try {
    // The second field, the name in brackets, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    const uptime = Number.parseFloat(readFileSync('/proc/uptime', 'latin1'))
    return (uptime - startTicks / TICKS_PER_SECOND) * 1_000
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** `[[days-]hours:]minutes:seconds`, as POSIX has it. */
function ageByPs(pid: number): number | undefined {
  let text: string
  try {
    text = execFileSync('ps', ['-o', 'etime=', '-p', String(pid)], { encoding: 'utf8', timeout: PS_MS, stdio: 'pipe' })
  } catch {
    // It says so by its exit code when there is no such process.
    return undefined
  }
  const [, days, hours, minutes, seconds] = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text.trim()) ?? []
  if (seconds === undefined) return undefined
  return (((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000
}
