// Owns where the project lies and how its sources are read.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ParsedModule, parseModule } from './parsed-module.ts'

/** A file of source code. */
export interface SourceFile {
  /** From the root of the project, with `/`: `packages/cache/src/keys.ts`. */
  readonly path: string
  readonly text: string
  readonly module: ParsedModule
}

/** The root of the project: the compiled tests lie in `test/architecture/dist`. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url))

/** The folder names of all packages. */
export function packageNames(): string[] {
  return readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** All code of the packages. */
export function packageSources(): SourceFile[] {
  return packageNames().flatMap((name) => sourcesIn(`packages/${name}`))
}

/** All code of the project: packages, tests, benchmarks, examples, tools. */
export function allSources(): SourceFile[] {
  return ['packages', 'test', 'bench', 'examples', 'tools'].flatMap(sourcesIn)
}

/** A source from a text, as fixtures need it. */
export function sourceOf(path: string, text: string): SourceFile {
  return { path, text, module: parseModule(path, text) }
}

/** The text of a file of the project, or undefined if there is none. */
export function textOf(path: string): string | undefined {
  const file = join(root, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function sourcesIn(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return ['node_modules', 'dist', 'results'].includes(entry.name) ? [] : sourcesIn(path)
    return /\.(?:ts|js|mjs|cjs)$/.test(entry.name) ? [sourceOf(path, readFileSync(join(root, path), 'utf8'))] : []
  })
}
