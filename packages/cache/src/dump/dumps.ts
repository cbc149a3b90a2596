// Dumps: `dumpWrite` and `dumpRead`.
import { randomUUID } from 'node:crypto'
import type { Listing } from '../listing.ts'
import { ownWrite } from '../local-tier.ts'
import type { Scope } from '../scope.ts'
import { readForDump } from '../scripts/read-for-dump.ts'
import { restoreList } from '../scripts/restore-list.ts'
import { restoreValue } from '../scripts/restore-value.ts'
import { DumpReader } from './dump-reader.ts'
import { DumpWriter } from './dump-writer.ts'
import { type DumpedKey, type DumpedList, type DumpedValue, headerLine, keyLine } from './format.ts'
import { checkFile } from './in-file.ts'

// How many keys are under way at once: enough to hide the round trips, few enough for values of megabytes.
const keysAtOnce = 50
const elementsPerPart = 500

type Part = [type: 'string' | 'list', expiresAt: number, goesOn: number, contents: string[]]

/** Writes what a namespace holds to a file, and back. Names in the file are those inside the namespace. */
export class Dumps {
  readonly #scope: Scope
  readonly #listing: Listing

  constructor(scope: Scope, listing: Listing) {
    this.#scope = scope
    this.#listing = listing
  }

  async dumpWrite(file: string): Promise<number> {
    checkFile(file, 'written')
    const writer = await DumpWriter.open(file)
    try {
      await writer.write(headerLine(Date.now()))
      const names = await this.#listing.keys()
      let count = 0
      for (let start = 0; start < names.length; start += keysAtOnce) {
        const dumped = await Promise.all(names.slice(start, start + keysAtOnce).map((name) => this.#read(name)))
        const found = dumped.filter((lines) => lines !== '')
        count += found.length
        await writer.write(found.join(''))
      }
      await writer.finish(count)
      return count
    } catch (error) {
      await writer.discard()
      throw error
    }
  }

  async dumpRead(file: string): Promise<number> {
    checkFile(file, 'read')
    const reader = await DumpReader.open(file)
    try {
      await reader.check(this.#scope.keys.plainValuePrefix)
      await this.#listing.clear()
      return await this.#restore(reader)
    } finally {
      await reader.close()
    }
  }

  /** The lines of a key; none if it is gone, or neither value nor list. */
  async #read(name: string): Promise<string> {
    const { connection, keys } = this.#scope
    let lines = ''
    let end = {}
    for (let from = 0, more = true; more; from += elementsPerPart) {
      const part = await connection.run<Part | null>(readForDump, [keys.value(name)], [from, elementsPerPart])
      if (part === null && from === 0) return ''
      // A list that vanished or was replaced between its parts ends here.
      const [type, expiresAt, goesOn, contents] = part ?? ['list', 0, 0, []]
      if (expiresAt > 0) end = { expiresAt }
      if (type === 'string' && from === 0) return keyLine({ key: name, value: contents[0] ?? '', ...end })
      more = type === 'list' && goesOn === 1
      lines += keyLine({ key: name, list: type === 'list' ? contents : [], from, more, ...end })
    }
    return lines
  }

  async #restore(reader: DumpReader): Promise<number> {
    const gathering = randomUUID()
    let written = 0
    let batch: DumpedKey[] = []
    const send = async () => {
      const answers = await Promise.all(batch.map((key) => this.#write(key, gathering)))
      batch = []
      written += answers.reduce((sum, answer) => sum + answer, 0)
    }
    for await (const key of reader.keys()) {
      // A part of a list finds its place only after the part before it.
      if (batch.length === keysAtOnce || ('list' in key && key.from > 0)) await send()
      batch.push(key)
    }
    await send()
    return written
  }

  #write(key: DumpedKey, gathering: string): Promise<number> {
    const { keys, local } = this.#scope
    return ownWrite(local, [keys.value(key.key)], () =>
      'list' in key ? this.#restoreList(key, gathering) : this.#restoreValue(key),
    )
  }

  #restoreValue({ key, value, expiresAt = 0 }: DumpedValue): Promise<number> {
    const { connection, keys } = this.#scope
    return connection.run<number>(restoreValue, [keys.value(key)], [expiresAt, value])
  }

  async #restoreList({ key, list, from, more, expiresAt = 0 }: DumpedList, gathering: string): Promise<number> {
    const { connection, keys } = this.#scope
    const names = [keys.value(key), keys.gathered(key, gathering)]
    const answer = await connection.run<number>(restoreList, names, [expiresAt, from, more ? 1 : 0, ...list])
    return more ? 0 : answer
  }
}
