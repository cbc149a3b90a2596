// Where the control socket of a cluster lies: beside its pid file.
import { join } from 'node:path'

/** Name of the pid file of a cluster, as ActionHero has it. */
export const PID_FILE = 'cluster_pidfile'
const SOCKET = 'cluster_control.sock'
// sun_path of macOS with its closing NUL; Linux takes four bytes more.
const LONGEST_PATH = 103

/** The socket's path for a folder of pid files. */
export function controlPath(pids: string): string {
  return join(pids, SOCKET)
}

/**
 * Calls `use` with a path that the system takes for the socket in `pids`: where the whole one is too long, with the
 * bare name while that folder is the current one. Binding and connecting look at the path before `use` returns.
 */
export function withControlPath<T>(pids: string, use: (path: string) => T): T {
  const path = controlPath(pids)
  if (Buffer.byteLength(path) <= LONGEST_PATH) return use(path)
  const here = process.cwd()
  process.chdir(pids)
  try {
    return use(SOCKET)
  } finally {
    process.chdir(here)
  }
}
