// The file that a dump is read from: checked whole before its first key is handed out.
import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { AH_CACHE_DUMP_BROKEN } from '../errors.ts'
import { shown } from '../shown.ts'
import { readActionHeroDump } from './actionhero.ts'
import { type DumpedKey, readHeader, readKey, readTrailer } from './format.ts'
import { inFile } from './in-file.ts'
import { linesOf } from './lines.ts'

const longestHeader = 1024

/** An open dump: `check`, then `keys`, then `close`. */
export class DumpReader {
  readonly #file: string
  readonly #handle: FileHandle
  /** What ActionHero's dump holds, once `check` found that it is one. */
  #foreign: readonly DumpedKey[] | undefined

  private constructor(file: string, handle: FileHandle) {
    this.#file = file
    this.#handle = handle
  }

  static async open(file: string): Promise<DumpReader> {
    const handle = await inFile(file, 'read', async () => {
      // A pipe would keep us waiting, a device have no end.
      if (!(await stat(file)).isFile()) throw new Error('it is no regular file')
      return open(file, 'r')
    })
    return new DumpReader(file, handle)
  }

  /** Reads the file to its end; throws `AH_CACHE_DUMP_BROKEN` for one that is not as it was written. */
  async check(ownPrefix: string): Promise<void> {
    const reason = await inFile(this.#file, 'read', () => this.#whyBroken(ownPrefix))
    if (reason !== undefined) throw new AH_CACHE_DUMP_BROKEN(shown(this.#file), reason)
  }

  /** Yields the keys of a checked dump, in their order. */
  async *keys(): AsyncGenerator<DumpedKey> {
    if (this.#foreign !== undefined) {
      yield* this.#foreign
      return
    }
    for await (const line of linesOf(this.#handle)) {
      // Header and trailer are none.
      const key = readKey(line)
      if (key !== undefined) yield key
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  async #whyBroken(ownPrefix: string): Promise<string | undefined> {
    const header = readHeader(await this.#firstLine())
    if (header === 'own') return whyBroken(linesOf(this.#handle))
    if (header !== undefined) return `it is of version ${header}, which this release does not know`
    this.#foreign = readActionHeroDump(await this.#handle.readFile('utf8'), ownPrefix)
    return this.#foreign === undefined ? 'it is no dump of a cache' : undefined
  }

  /** What may be a header: a foreign file may be one line of gigabytes. */
  async #firstLine(): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#handle.read({ buffer: Buffer.alloc(longestHeader), position: 0 })
    const head = buffer.subarray(0, bytesRead)
    const end = head.indexOf('\n')
    return end < 0 ? head : head.subarray(0, end)
  }
}

/** Every line between header and trailer is a key's. */
async function whyBroken(lines: AsyncIterable<Buffer>): Promise<string | undefined> {
  const hash = createHash('sha256')
  let last: Buffer | undefined
  let before: DumpedKey | undefined
  let isHeader = true
  let count = 0
  for await (const line of lines) {
    if (last !== undefined) hash.update(last).update('\n')
    if (last !== undefined && !isHeader) {
      const key = readKey(last)
      if (key === undefined || !follows(key, before)) return 'a line is damaged'
      if (!('list' in key) || key.from === 0) count += 1
      before = key
    }
    isHeader = last === undefined
    last = line
  }
  const trailer = last === undefined || isHeader ? undefined : readTrailer(last)
  if (trailer === undefined) return 'its end is missing'
  if (trailer.count !== count) return `it should hold ${trailer.count} keys and holds ${count}`
  return trailer.sha256 === hash.digest('hex') ? undefined : 'its checksum does not fit its contents'
}

/** Whether the parts of lists are complete so far. */
function follows(key: DumpedKey, before: DumpedKey | undefined): boolean {
  const isAwaited = before !== undefined && 'list' in before && before.more
  const isLaterPart = 'list' in key && key.from > 0
  if (!isAwaited || !isLaterPart) return isAwaited === isLaterPart
  return key.key === before.key && key.from === before.from + before.list.length
}
