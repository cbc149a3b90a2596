// Owns what /proc knows of a process (Linux only, like the suites that ask).
import { readdirSync, readFileSync } from 'node:fs'

/** Whether the process exists and runs; one that ended and awaits its parent (a zombie) does not. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid)
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X'
}

/** The pids of all living descendants, parents before their children. Those whose parent died no longer belong to it. */
export function processTree(pid: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const candidate of allPids()) {
    const stat = statOf(candidate)
    if (!stat || stat.state === 'Z') continue
    const siblings = childrenOf.get(stat.parent)
    if (siblings) siblings.push(candidate)
    else childrenOf.set(stat.parent, [candidate])
  }
  const found: number[] = []
  const open = [pid]
  for (let parent = open.shift(); parent !== undefined; parent = open.shift()) {
    const children = childrenOf.get(parent) ?? []
    found.push(...children)
    open.push(...children)
  }
  return found
}

/** The pids of all living processes that were started with the environment variable `name=value`. */
export function processesWithEnv(name: string, value: string): number[] {
  const wanted = `${name}=${value}`
  return allPids().filter((pid) => isAlive(pid) && readProc(pid, 'environ')?.split('\0').includes(wanted))
}

/** How many file descriptors the process has open. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Resident memory of the process in bytes. */
export function rss(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, 'status') ?? '')?.[1]
  if (kilobytes === undefined) throw new Error(`No process ${pid}, or it has ended`)
  return Number(kilobytes) * 1024
}

function allPids(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)
}

function statOf(pid: number): { state: string; parent: number } | undefined {
  // The name in parentheses may itself hold spaces and parentheses.
  const fields = /^\d+ \(.*\) (\S) (\d+)/s.exec(readProc(pid, 'stat') ?? '')
  return fields ? { state: fields[1]!, parent: Number(fields[2]) } : undefined
}

/** Undefined when the process is gone: they come and go while one looks. */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
