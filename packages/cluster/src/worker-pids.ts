// A pid file for each worker, for those who look from outside: `<pids>/<title>`, as ActionHero has them.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toError } from 'fastify-ah-kit'

/** Nobody is kept out by them: a worker's pid is its primary's to know. */
export class WorkerPids {
  readonly #folder: string
  readonly #onError: (error: Error) => void

  /** `onError` is told what the file system refused: the workers go on without the file. */
  constructor(folder: string, onError: (error: Error) => void) {
    this.#folder = folder
    this.#onError = onError
  }

  /** The newest worker of this title. */
  note(title: string, pid: number | undefined): void {
    if (pid !== undefined) this.#try(() => writeFileSync(join(this.#folder, title), `${pid}\n`))
  }

  /** Its process has ended; a successor of the same title has its own pid there. */
  forget(title: string, pid: number | undefined): void {
    const path = join(this.#folder, title)
    this.#try(() => {
      if (pid !== undefined && readFileSync(path, 'latin1').trim() === String(pid)) rmSync(path, { force: true })
    })
  }

  #try(work: () => void): void {
    try {
      work()
    } catch (thrown) {
      const error = toError(thrown) as NodeJS.ErrnoException
      if (error.code !== 'ENOENT') this.#onError(error)
    }
  }
}
