// Owns apps that a test writes itself, outside of the project.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { tempDir } from 'fastify-ah-test-support'

/** Writes the files into a folder of their own and answers the path of the first. */
export function appFile(t: TestContext, files: Record<string, string>): string {
  const dir = tempDir(t).path
  for (const [name, source] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), source)
  }
  return join(dir, Object.keys(files)[0]!)
}
