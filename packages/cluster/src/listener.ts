// The primary's hold on the listening socket: bound once, kept as long as the cluster lives, removed at its end.
import { type BigIntStats, lstatSync, statSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AH_CLUSTER_ADDRESS_IN_USE, AH_CLUSTER_ADDRESS_INVALID } from './errors.ts'
import { type Bound, bind, type NativeHandle } from './listening-handle.ts'
import { admit, type SocketAccess } from './socket-access.ts'
import type { ListenAddress } from './types.ts'

/** How an address that is in use is treated. */
export interface ListenerOptions extends SocketAccess {
  /**
   * How long to try again: after a primary was killed its workers still hold the socket until they have noticed,
   * which takes them one turn of their event loop.
   */
  readonly waitMs: number
  /** Told once, when waiting begins. */
  readonly onWait: (error: Error) => void
}

const TRY_AGAIN_MS = 50
// sun_path with its closing NUL; older libuv cuts a longer path silently and binds another file.
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103
const ANSWER_MS = 1_000

/** The bound socket. */
export class Listener {
  readonly address: ListenAddress
  readonly #handle: NativeHandle
  readonly #file: FileId | undefined
  #isClosed = false

  /** Binds; throws `AH_CLUSTER_ADDRESS_IN_USE` or `AH_CLUSTER_ADDRESS_INVALID`. */
  static async bind(address: ListenAddress, options: ListenerOptions): Promise<Listener> {
    const deadline = performance.now() + options.waitMs
    let isFirst = true
    for (;;) {
      try {
        if (address.kind === 'unix') await clearStale(address.path)
        const listener = new Listener(bindExplained(address))
        if (address.kind === 'unix') await listener.#admit(address.path, options)
        return listener
      } catch (error) {
        if (!(error instanceof AH_CLUSTER_ADDRESS_IN_USE) || performance.now() >= deadline) throw error
        if (isFirst) options.onWait(error)
        isFirst = false
        await sleep(TRY_AGAIN_MS)
      }
    }
  }

  private constructor({ handle, address }: Bound) {
    this.#handle = handle
    this.address = address
    this.#file = address.kind === 'unix' ? fileId(address.path) : undefined
  }

  /** Nobody can connect before the first worker listens, so there is no moment in which too many may. */
  async #admit(path: string, access: SocketAccess): Promise<void> {
    try {
      await admit(path, access)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** What goes to a worker; undefined once closed. */
  get handle(): NativeHandle | undefined {
    return this.#isClosed ? undefined : this.#handle
  }

  /**
   * Whether the unix socket at our path is still the one that we bound. Between bind and the first worker's listen
   * ours looks as stale as one whose owner died, so a second primary that starts in that moment takes the path.
   */
  get isOurs(): boolean {
    if (this.address.kind !== 'unix') return true
    const now = fileId(this.address.path)
    return now !== undefined && now.dev === this.#file?.dev && now.ino === this.#file.ino
  }

  /** Lets go of the socket, and removes its file. Twice is fine. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // libuv removes the path with the handle, whoever has bound it since: then the handle stays until the process ends.
    if (this.isOurs) this.#handle.close()
  }
}

interface FileId {
  readonly dev: bigint
  readonly ino: bigint
}

function bindExplained(address: ListenAddress): Bound {
  try {
    return bind(address)
  } catch (cause) {
    throw explain(address, cause as NodeJS.ErrnoException)
  }
}

function explain(address: ListenAddress, cause: NodeJS.ErrnoException): Error {
  const where = address.kind === 'unix' ? `the socket ${address.path}` : `port ${address.port} on ${address.host}`
  switch (cause.code) {
    case 'EADDRINUSE':
      return new AH_CLUSTER_ADDRESS_IN_USE(`${where} is already in use by another server`, { cause })
    case 'EACCES':
    case 'EPERM':
      return new AH_CLUSTER_ADDRESS_INVALID(
        address.kind === 'tcp' && address.port < 1024
          ? `this user may not bind ${where}: take a port from 1024 up, or grant CAP_NET_BIND_SERVICE`
          : `this user may not bind ${where}`,
        { cause },
      )
    case 'EADDRNOTAVAIL':
      return new AH_CLUSTER_ADDRESS_INVALID(`${where} cannot be bound: not an address of this machine`, { cause })
    default:
      return new AH_CLUSTER_ADDRESS_INVALID(`${where} cannot be bound: ${cause.message}`, { cause })
  }
}

/** Removes a socket that nobody listens on; throws if somebody does, or if something else stands there. */
async function clearStale(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path)
  if (bytes > LONGEST_PATH) {
    throw new AH_CLUSTER_ADDRESS_INVALID(
      `the socket path ${path} has ${bytes} bytes; the system takes at most ${LONGEST_PATH}`,
    )
  }
  const found = statOf(path, lstatSync)
  if (found === undefined) {
    if (statOf(dirname(path), statSync)?.isDirectory() === true) return
    throw new AH_CLUSTER_ADDRESS_INVALID(`there is no folder ${dirname(path)} for the socket ${path}`)
  }
  if (!found.isSocket()) {
    throw new AH_CLUSTER_ADDRESS_INVALID(`${path} is ${kindOf(found)}, no socket; it is left alone`)
  }
  if (await isAnswered(path)) {
    throw new AH_CLUSTER_ADDRESS_IN_USE(`the socket ${path} is already in use by another server`)
  }
  try {
    unlinkSync(path)
  } catch (cause) {
    // Somebody else removed it in the meantime: fine.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new AH_CLUSTER_ADDRESS_INVALID(`the stale socket ${path} cannot be removed`, { cause })
  }
}

/** Whether anybody listens. Only a refusal says that nobody does: a full backlog or a missing right says the opposite. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(ANSWER_MS, () => end(true))
    socket.once('connect', () => end(true))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a folder'
  if (stats.isSymbolicLink()) return 'a symbolic link'
  return stats.isFile() ? 'a regular file' : 'a special file'
}

function fileId(path: string): FileId | undefined {
  return statOf(path, lstatSync)
}

/**
 * Undefined if there is nothing. With big integers, which Node keeps apart: after a plain `lstatSync` of a socket its
 * next `realpathSync` (and so `require`) takes the path that it is given for the real one (Node 20 and 22).
 */
function statOf(path: string, stat: typeof lstatSync): BigIntStats | undefined {
  try {
    return stat(path, { bigint: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new AH_CLUSTER_ADDRESS_INVALID(`the socket cannot be looked at: ${message}`, { cause: error })
  }
}
