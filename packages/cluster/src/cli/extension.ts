// Commands that other packages bring: `fastify-ah tasks` is run by `fastify-ah-tasks/cli`.
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { toError } from 'fastify-ah-kit'
import { AH_CLUSTER_COMMAND_INVALID } from '../errors.ts'

/** What a package with a command exports as `./cli`. */
interface CommandModule {
  /** Answers the exit code. */
  run(args: readonly string[]): Promise<number>
}

/** A command that a package brings. */
export interface Extension {
  /** As it is typed. */
  readonly name: string
  /** The package's own description. */
  readonly description: string
}

// These are typed without their package's name: "start", "stop" …
const OURS = 'cluster'
const PREFIX = 'fastify-ah-'
const NAME = /^[a-z][a-z\d-]*$/
const HERE = dirname(fileURLToPath(import.meta.url))

/** Where the command `name` was looked for, in words. */
export function lookedFor(name: string, root: string): string {
  return `${PREFIX}${name}/cli was looked for from ${root} and from ${HERE}`
}

/** Whether the word may be the name of a package's command at all. */
export function isExtensionName(name: string): boolean {
  return NAME.test(name) && name !== OURS
}

/**
 * Runs the command `name` with the package beside the app (`root`), else with the one beside this package. Answers its
 * exit code, or undefined if there is no such package. Throws `AH_CLUSTER_COMMAND_INVALID` if it brings no command.
 */
export async function runExtension(name: string, root: string, args: readonly string[]): Promise<number | undefined> {
  const file = [root, HERE].map((from) => locate(name, from)).find((found) => found !== undefined)
  if (file === undefined) return undefined
  const { run } = await importCommand(name, file)
  if (typeof run !== 'function') {
    throw new AH_CLUSTER_COMMAND_INVALID(`${PREFIX}${name}/cli (${file}) exports no function "run"`)
  }
  const code: unknown = await run(args)
  if (typeof code === 'number' && Number.isInteger(code) && code >= 0 && code <= 255) return code
  throw new AH_CLUSTER_COMMAND_INVALID(
    `the command of ${PREFIX}${name} must answer an exit code from 0 to 255, got ${String(code)}`,
  )
}

/** The commands of the packages that are installed beside the app or beside this one, by name. */
export function installedExtensions(root: string): Extension[] {
  const found = new Map<string, Extension>()
  for (const folder of [...nodeModules(root), ...nodeModules(HERE)]) {
    for (const entry of entriesOf(folder)) {
      const name = entry.slice(PREFIX.length)
      if (!entry.startsWith(PREFIX) || !isExtensionName(name) || found.has(name)) continue
      const manifest = manifestOf(join(folder, entry, 'package.json'))
      if (manifest?.exports?.['./cli'] !== undefined) found.set(name, { name, description: manifest.description ?? '' })
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name))
}

interface Manifest {
  readonly description?: string
  readonly exports?: Readonly<Record<string, unknown>>
}

/** The file of the package's command, as an app in `folder` would import it. */
function locate(name: string, folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'app.js')).resolve(`${PREFIX}${name}/cli`)
  } catch (thrown) {
    const { code, message } = toError(thrown) as NodeJS.ErrnoException
    if (code === 'MODULE_NOT_FOUND') return undefined
    throw new AH_CLUSTER_COMMAND_INVALID(
      code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? `${PREFIX}${name} is installed and brings no command` : message,
      { cause: thrown },
    )
  }
}

async function importCommand(name: string, file: string): Promise<Partial<CommandModule>> {
  try {
    return (await import(pathToFileURL(file).href)) as Partial<CommandModule>
  } catch (thrown) {
    const error = toError(thrown)
    throw new AH_CLUSTER_COMMAND_INVALID(
      `the command of ${PREFIX}${name} could not be loaded\n${error.stack ?? error.message}`,
      { cause: error },
    )
  }
}

/** Every folder in which a module of `folder` looks for packages. */
function nodeModules(folder: string): string[] {
  const paths: string[] = []
  for (let at = real(folder); ; at = dirname(at)) {
    paths.push(join(at, 'node_modules'))
    if (at === dirname(at)) return paths
  }
}

function real(folder: string): string {
  return readable(() => realpathSync(folder)) ?? folder
}

function entriesOf(folder: string): string[] {
  return readable(() => readdirSync(folder)) ?? []
}

/** Undefined for what is no package: help must not fail of a broken neighbour. */
function manifestOf(file: string): Manifest | undefined {
  const text = readable(() => readFileSync(file, 'utf8'))
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Manifest)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Undefined for what is not there, or may not be read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
