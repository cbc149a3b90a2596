// Owns temporary folders.
import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onProcessExit } from './exit-hook.ts'
import { atEnd, type TestScope } from './scope.ts'

/** A folder of one's own. */
export interface TempDir {
  /** Absolute, short: a unix socket's path may have no more than 107 bytes. */
  readonly path: string
  /** Removes it with all that is in it. Twice is fine. */
  dispose(): Promise<void>
}

/** Makes a fresh folder (mode 0700), removed at the end of the test. */
export function tempDir(scope?: TestScope): TempDir {
  // macOS hands out a TMPDIR of 49 characters, CI runners longer ones.
  const base = tmpdir().length <= 24 ? tmpdir() : '/tmp'
  const path = mkdtempSync(join(base, 'ah-'))
  const forget = onProcessExit(() => rmSync(path, { recursive: true, force: true }))
  const dispose = async () => {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
    forget()
  }
  atEnd(scope, dispose)
  return { path, dispose }
}
