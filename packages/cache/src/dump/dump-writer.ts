// The file that a dump is written to: under another name until it is complete.
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { trailerLine } from './format.ts'
import { inFile } from './in-file.ts'

/** Writes the lines of one dump. It ends with `finish` or `discard`; whatever happens, no half dump has its name. */
export class DumpWriter {
  readonly #file: string
  readonly #unfinished: string
  readonly #handle: FileHandle
  readonly #hash = createHash('sha256')
  #isClosed = false

  private constructor(file: string, unfinished: string, handle: FileHandle) {
    this.#file = file
    this.#unfinished = unfinished
    this.#handle = handle
  }

  /** Opens the file beside its later place (a rename across file systems is none), for its owner's eyes only. */
  static async open(file: string): Promise<DumpWriter> {
    const unfinished = `${file}.${randomBytes(6).toString('hex')}.unfinished`
    const handle = await inFile(file, 'written', () => open(unfinished, 'wx', 0o600))
    return new DumpWriter(file, unfinished, handle)
  }

  async write(lines: string): Promise<void> {
    this.#hash.update(lines)
    await inFile(this.#file, 'written', () => this.#handle.appendFile(lines))
  }

  /** Puts the complete dump in its place. */
  async finish(count: number): Promise<void> {
    await inFile(this.#file, 'written', async () => {
      await this.#handle.appendFile(trailerLine({ count, sha256: this.#hash.digest('hex') }))
      // On the disk before it gets its name, or a power cut could leave an empty file in the old dump's place.
      await this.#handle.sync()
      await this.#close()
      await rename(this.#unfinished, this.#file)
    })
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await inFile(this.#file, 'written', async () => {
      await this.#close()
      await rm(this.#unfinished, { force: true })
    })
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#handle.close()
  }
}
