// The table that `fastify-ah status` prints.
import type { ClusterStatus, WorkerStatus } from '../types.ts'

const HEAD = ['worker', 'pid', 'role', 'gen', 'state', 'uptime', 'rss', 'loop', 'conns', 'requests', 'restarts']

/** The cluster in one line, and a row a worker. */
export function statusTable(status: ClusterStatus): string {
  const { title, primaryPid, generation, uptimeMs, address, wanted, workers, isFlapping, reload } = status
  const facts = [
    `${title}: primary ${primaryPid}`,
    `generation ${generation}`,
    `up ${duration(uptimeMs)}`,
    address ?? 'takes no connections',
    `${workers.filter(({ state }) => state === 'started').length} of ${wanted} workers serve`,
    ...(reload === undefined ? [] : [`reloading to generation ${reload.generation}`]),
    ...(isFlapping ? ['FLAPPING: workers die faster than they can serve'] : []),
  ]
  return [facts.join(', '), '', ...table([HEAD, ...workers.map(cells)])].join('\n')
}

/** `95 s`, `12 min`, `3 h 5 min`, `2 d 4 h` */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

function cells({ id, pid, role, generation, state, uptimeMs, restarts, vitals }: WorkerStatus): string[] {
  return [
    String(id),
    String(pid),
    role ?? '-',
    String(generation),
    state,
    duration(uptimeMs),
    vitals === undefined ? '-' : `${Math.round(vitals.rssMb)} MB`,
    vitals === undefined ? '-' : `${Math.round(vitals.utilization * 100)} %`,
    vitals === undefined ? '-' : String(vitals.connections),
    vitals === undefined ? '-' : String(vitals.requests),
    String(restarts),
  ]
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}
