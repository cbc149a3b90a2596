// Owns reading what the watch in each process of a test wrote down.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One line of a process's file. */
export interface UnhandledEntry {
  kind: 'unhandledRejection' | 'uncaughtException'
  pid: number
  /** With the stack. */
  text: string
}

/**
 * Tells the watch in which folder to write, a file per process. The folder is unique, so the variable also marks all
 * processes of one tree, even when their parents are gone.
 */
export const UNHANDLED_DIR = 'AH_TEST_UNHANDLED_DIR'

/** All entries in the folder so far, one text each. */
export async function readUnhandled(dir: string): Promise<string[]> {
  const files = await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name), 'utf8')))
  return files.flatMap((file) => file.split('\n').filter(Boolean).map(describe))
}

function describe(line: string): string {
  const { kind, pid, text } = JSON.parse(line) as UnhandledEntry
  return `${kind} in process ${pid}: ${text}`
}
