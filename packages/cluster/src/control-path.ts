// Where the control socket of a cluster lies: beside its pid file.
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { AH_CLUSTER_PID_FILE } from './errors.ts'

/** Name of the pid file of a cluster, as ActionHero has it. */
export const PID_FILE = 'cluster_pidfile'
const SOCKET = 'cluster_control.sock'
// sun_path of macOS with its closing NUL; Linux takes four bytes more.
const LONGEST_PATH = 103

/** The socket's path for a folder of pid files: in it, or, where that path is too long for a socket, in a private one. */
export function controlPath(pids: string): string {
  const beside = join(pids, SOCKET)
  if (Buffer.byteLength(beside) <= LONGEST_PATH) return beside
  const { uid } = userInfo()
  const folder = join(tmpdir(), `fastify-ah-${uid}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stats = lstatSync(folder)
  if (!stats.isDirectory() || (uid >= 0 && stats.uid !== uid) || (stats.mode & 0o077) !== 0) {
    throw new AH_CLUSTER_PID_FILE(`${folder} is not a private folder of this user; give a shorter --pids`)
  }
  return join(folder, `${createHash('sha256').update(pids).digest('hex').slice(0, 24)}.sock`)
}
