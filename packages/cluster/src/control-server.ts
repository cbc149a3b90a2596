// The primary's side of the control socket.

import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { toError } from 'fastify-ah-kit'
import { controlPath, withControlPath } from './control-path.ts'
import {
  type ControlLine,
  type ControlOutcome,
  type ControlRequest,
  openRequest,
  readObjects,
} from './control-protocol.ts'
import { AH_CLUSTER_NOT_RUNNING, AH_CLUSTER_PID_FILE, AH_CLUSTER_USAGE } from './errors.ts'
import type { Manager } from './manager.ts'

const ASK_MS = 5_000
const LAST_WORDS_MS = 500
// Owner alone: whoever can write to the socket can stop the cluster.
const PRIVATE = 0o177
const STOP_LOOK_MS = 250

/** Answers `status`, `reload`, `stop` and `scale`. */
export class ControlServer {
  readonly #manager: Manager
  readonly #path: string
  readonly #server: Server
  readonly #answers = new Set<Promise<void>>()

  /** Listens. The caller holds the pid file in `pids`, so a socket there is a dead primary's. */
  static async listen(pids: string, manager: Manager): Promise<ControlServer> {
    const control = new ControlServer(manager, controlPath(pids))
    await control.#listen(pids)
    return control
  }

  private constructor(manager: Manager, path: string) {
    this.#manager = manager
    this.#path = path
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      // It may go at any time; there is nobody to tell.
      socket.on('error', () => socket.destroy())
      const answer = this.#serve(socket).finally(() => this.#answers.delete(answer))
      this.#answers.add(answer)
    })
  }

  /** Takes no more requests; the answers under way, such as that of `stop`, get half a second to leave. */
  async close(): Promise<void> {
    this.#server.close()
    const over = new Promise<void>((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref())
    await Promise.race([Promise.all(this.#answers), over])
    rmSync(this.#path, { force: true })
  }

  async #listen(pids: string): Promise<void> {
    rmSync(this.#path, { force: true })
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        // Bound before the call returns: so long the mask is needed, and no longer.
        const umask = process.umask(PRIVATE)
        withControlPath(pids, (path) => this.#server.listen(path, resolve))
        process.umask(umask)
      })
    } catch (cause) {
      throw new AH_CLUSTER_PID_FILE(
        `the control socket ${this.#path} cannot be opened: ${toError(cause).message}; give another folder with --pids`,
        { cause },
      )
    }
  }

  async #serve(socket: Socket): Promise<void> {
    const say = (line: ControlLine) => socket.writable && socket.write(`${JSON.stringify(line)}\n`)
    const timeout = setTimeout(() => socket.destroy(), ASK_MS)
    try {
      const { value } = await readObjects(socket).next()
      clearTimeout(timeout)
      const request = value === undefined ? undefined : openRequest(value)
      if (request === undefined) say({ outcome: failed(new AH_CLUSTER_USAGE('this is no request')) })
      else say({ outcome: await this.#obey(request, say) })
    } catch (thrown) {
      say({ outcome: failed(toError(thrown)) })
    } finally {
      clearTimeout(timeout)
      await new Promise<void>((resolve) => {
        socket.once('close', () => resolve())
        if (socket.destroyed) resolve()
        else socket.end(() => socket.destroy())
      })
    }
  }

  async #obey(request: ControlRequest, say: (line: ControlLine) => void): Promise<ControlOutcome> {
    switch (request.verb) {
      case 'status':
        return { status: this.#manager.status() }
      case 'reload': {
        const reload = this.#manager.reload()
        reload.watch((progress) => say({ progress: { reload: progress } }))
        const { generation, error } = await reload.ended
        return error === undefined ? { reloaded: generation } : failed(error)
      }
      case 'scale': {
        const { to, by = 0, role } = request
        const workers = this.#manager.scale(to === undefined ? { by } : { to }, role)
        if (!this.#manager.isRunning) return failed(new AH_CLUSTER_NOT_RUNNING('the cluster starts or stops'))
        if (workers === undefined)
          return failed(
            new AH_CLUSTER_USAGE(`there is no role "${role}"; there are: ${this.#manager.roles.join(', ') || 'none'}`),
          )
        return { scaled: { role, workers } }
      }
      case 'stop':
        return this.#stop(say)
    }
  }

  async #stop(say: (line: ControlLine) => void): Promise<ControlOutcome> {
    this.#manager.stop()
    let last: number | undefined
    const look = setInterval(() => {
      const { length } = this.#manager.status().workers
      if (length !== last) say({ progress: { stopping: length } })
      last = length
    }, STOP_LOOK_MS)
    const { isGraceful } = await this.#manager.ended
    clearInterval(look)
    return { stopped: { isGraceful } }
  }
}

function failed(error: Error): ControlOutcome {
  return { error: { code: 'code' in error ? String(error.code) : error.name, message: error.message } }
}
