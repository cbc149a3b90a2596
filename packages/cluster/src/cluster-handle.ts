// A running cluster as its primary holds it: manager, pid files and control socket, opened and closed together.
import { mkdirSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { toError } from 'fastify-ah-kit'
import { controlPath, PID_FILE } from './control-path.ts'
import { ControlServer } from './control-server.ts'
import { AH_CLUSTER_PID_FILE } from './errors.ts'
import { isAnswered } from './listener.ts'
import { Manager, type ManagerEnd } from './manager.ts'
import type { ManagerSetup } from './manager-setup.ts'
import { PidFile, readPidFile } from './pid-file.ts'
import { WorkerPids } from './worker-pids.ts'

/** What is needed to open one; the rest follows from the options. */
export type ClusterSetup = Omit<ManagerSetup, 'pids'>

/** Opened, from `start()` on, until `ended` has settled. */
export class ClusterHandle {
  readonly manager: Manager
  /** Settles when workers, sockets, files and store are gone. Never rejects. */
  readonly ended: Promise<ManagerEnd>
  readonly #pids: string
  readonly #setup: ClusterSetup
  #pidFile: PidFile | undefined
  #control: ControlServer | undefined

  /** Throws `AH_CLUSTER_PID_FILE` if the folder of the pid files cannot be made. */
  constructor(setup: ClusterSetup) {
    const { options, root, journal } = setup
    this.#setup = setup
    this.#pids = realFolder(resolve(root, options.pids))
    const pids = new WorkerPids(this.#pids, (error) => journal.failed(error, 'the pid file of a worker failed'))
    this.manager = new Manager({ ...setup, pids })
    this.ended = this.manager.ended.then(async (end) => {
      await this.#close()
      return end
    })
  }

  /** Throws what keeps the cluster from starting; nothing is left behind then. */
  async start(): Promise<void> {
    const file = join(this.#pids, PID_FILE)
    // The file's time may mislead where a clock was set; an answer does not.
    if (await isAnswered(controlPath(this.#pids))) {
      throw new AH_CLUSTER_PID_FILE(
        `already running: pid ${readPidFile(file)?.pid} by ${file}; give this one another folder with --pids`,
      )
    }
    this.#pidFile = PidFile.claim(file)
    try {
      this.#control = await ControlServer.listen(this.#pids, this.manager)
      await this.manager.start()
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#control?.close()
      this.#pidFile?.release()
    } catch (thrown) {
      this.#setup.journal.failed(toError(thrown), 'the pid file or the control socket could not be removed')
    }
  }
}

/** Resolved once: where a symlink leads to another release later, ours are still where they were. */
function realFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true })
    return realpathSync(path)
  } catch (cause) {
    throw new AH_CLUSTER_PID_FILE(
      `the folder ${path} of the pid files cannot be made: ${toError(cause).message}; give another one with --pids`,
      { cause },
    )
  }
}
