// What the file system says about a dump's file, as a coded error.
import { toError } from 'fastify-ah-kit'
import { AH_CACHE_DUMP_FILE } from '../errors.ts'
import { shown } from '../shown.ts'

/** Runs `work`; its error becomes the `cause` of an `AH_CACHE_DUMP_FILE`. */
export async function inFile<T>(file: string, intent: 'written' | 'read', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const cause = toError(thrown)
    throw new AH_CACHE_DUMP_FILE(shown(file), intent, cause.message, { cause })
  }
}

/** Throws `AH_CACHE_DUMP_FILE` for what names no file. */
export function checkFile(file: unknown, intent: 'written' | 'read'): asserts file is string {
  if (typeof file === 'string' && file !== '') return
  throw new AH_CACHE_DUMP_FILE(shown(file), intent, 'expected the path of a file')
}
