// The private folder with the store's socket: made fresh, removed at the end, and after a kill by the next start.

import { once } from 'node:events'
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { AH_EMBEDDED_DIRECTORY, AH_EMBEDDED_PATH } from './errors.ts'

const PREFIX = 'fastify-ah-'
const SOCKET = 'redis.sock'
/** The characters that mkdtemp replaces at the end of a name. */
const RANDOM = 'XXXXXX'
/** `sun_path` less its closing NUL. libuv cuts a longer path short without a word and listens somewhere else. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** A folder that only this user may enter, and the path at which the socket is to be. */
export interface SocketDirectory {
  readonly directory: string
  readonly path: string
  /** Removes the folder and all in it, synchronously (it runs in an exit hook too). Twice is fine. */
  remove(): void
}

/** Makes the folder. Throws AH_EMBEDDED_PATH, AH_EMBEDDED_DIRECTORY. */
export function makeSocketDirectory(parent: string): SocketDirectory {
  const stem = join(parent, `${PREFIX}${process.pid}-`)
  checkPath(join(stem + RANDOM, SOCKET))
  const directory = mkdtemp(parent, stem)
  const remove = () => rmSync(directory, { recursive: true, force: true })
  return { directory, path: join(directory, SOCKET), remove }
}

/**
 * Removes what killed processes of this user left behind in `parent`. A folder is left behind when the process in its
 * name is gone and nobody answers on its socket: the second because a process of another container that shares the
 * folder looks gone as well.
 */
export async function removeAbandoned(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    const pid = Number(/^fastify-ah-(\d+)-[A-Za-z0-9]{6}$/.exec(name)?.[1] ?? Number.NaN)
    const directory = join(parent, name)
    if (Number.isNaN(pid) || isRunning(pid) || !isOwnFolder(directory)) continue
    if (await isRefused(join(directory, SOCKET))) rmSync(directory, { recursive: true, force: true })
  }
}

function checkPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_PATH_BYTES) {
    throw new AH_EMBEDDED_PATH(
      `the embedded store's socket "${path}" has ${bytes} bytes, a unix socket may have ${MAX_PATH_BYTES}: let "directory" name a folder with a shorter path, such as /tmp`,
    )
  }
  // ioredis takes what follows a question mark in a path for options.
  if (/[?\0]/.test(path)) {
    throw new AH_EMBEDDED_PATH(
      `the embedded store's socket "${path}" has a "?" or a NUL in its path, which Redis clients cannot read: let "directory" name another folder`,
    )
  }
}

function mkdtemp(parent: string, stem: string): string {
  try {
    return mkdtempSync(stem)
  } catch (cause) {
    throw new AH_EMBEDDED_DIRECTORY(parent, (cause as Error).message, { cause })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Anybody may put anything into /tmp: what is not a folder of our own user is not ours to remove. */
function isOwnFolder(directory: string): boolean {
  const stat = lstatSync(directory, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === process.getuid?.()
}

async function isRefused(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
