// What the commands do, and how they show it.
import type { Cache } from '../cache.ts'
import { AH_CACHE_NOT_FOUND } from '../errors.ts'
import type { CommandLine, CommandName } from './command-line.ts'

/** What a command has to say, and whether it found what it was asked for. */
export interface Outcome {
  readonly text: string
  readonly isFound: boolean
}

type Command = (cache: Cache, line: CommandLine) => Promise<Outcome>

const found = (text: string): Outcome => ({ text, isFound: true })

/** By name. */
export const runCommand: Readonly<Record<CommandName, Command>> = {
  keys: async (cache, { operands: [prefix], json }) => {
    const keys = (await cache.keys(prefix)).sort()
    // One a line, whatever is in it.
    return found(json ? JSON.stringify(keys) : keys.map(oneLine).join('\n'))
  },
  get: async (cache, { operands: [key = ''], json }) => {
    try {
      const entry = await cache.load(key)
      return found(json ? JSON.stringify(entry) : JSON.stringify(entry.value, undefined, 2))
    } catch (error) {
      if (!(error instanceof AH_CACHE_NOT_FOUND)) throw error
      return { text: json ? 'null' : '', isFound: false }
    }
  },
  del: async (cache, { operands, json }) => {
    const removed = (await Promise.all(operands.map((key) => cache.destroy(key)))).filter(Boolean).length
    return { text: json ? JSON.stringify({ removed }) : `${removed} removed`, isFound: removed > 0 }
  },
  clear: async (cache, { operands: [prefix], json }) => {
    const removed = await cache.clear(prefix)
    return found(json ? JSON.stringify({ removed }) : `${removed} removed`)
  },
  dump: async (cache, { operands: [file = ''], json }) => {
    const written = await cache.dumpWrite(file)
    return found(json ? JSON.stringify({ written }) : `${written} written to ${file}`)
  },
  load: async (cache, { operands: [file = ''], json }) => {
    const read = await cache.dumpRead(file)
    return found(json ? JSON.stringify({ read }) : `${read} read from ${file}`)
  },
}

/** As it is, unless it would not be seen as one key: then as JSON. */
function oneLine(key: string): string {
  return /[\p{Control}"]/u.test(key) ? JSON.stringify(key) : key
}
