// The file that the log goes to, with what the workers write; opened anew when it was moved away.
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { toError } from 'fastify-ah-kit'
import { AH_CLUSTER_LOG_FILE } from './errors.ts'

// Logs tell of requests: not for everybody on this machine.
const MODE = 0o640

/** A log file. A disk that is full costs lines, never the process. */
export class LogFile {
  readonly path: string
  #fd: number
  #lost = 0

  /** Opens it, its folder made if there is none. Throws `AH_CLUSTER_LOG_FILE`. */
  constructor(path: string) {
    this.path = path
    this.#fd = opened(path)
  }

  /** For a process that is to write there too. */
  get fd(): number {
    return this.#fd
  }

  /** A destination of pino: at once, for the last line before the end counts most. */
  write(text: string): void {
    try {
      if (this.#lost > 0)
        writeSync(this.#fd, `${JSON.stringify({ level: 40, msg: `${this.#lost} lines were lost` })}\n`)
      this.#lost = 0
      const bytes = Buffer.from(text)
      // The disk became full in the middle of it.
      if (writeSync(this.#fd, bytes) < bytes.length) this.#lost = 1
    } catch (error) {
      // Told in the file itself, as soon as it takes something again: there is no other place.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      this.#lost += 1
    }
  }

  /** Goes on in a new file under the same name. Throws `AH_CLUSTER_LOG_FILE` and stays with the old one. */
  reopen(): void {
    const old = this.#fd
    this.#fd = opened(this.path)
    closeSync(old)
  }
}

function opened(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true })
    return openSync(path, 'a', MODE)
  } catch (cause) {
    throw new AH_CLUSTER_LOG_FILE(`the log file ${path} cannot be written: ${toError(cause).message}`, { cause })
  }
}
