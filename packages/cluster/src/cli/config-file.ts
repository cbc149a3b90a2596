// The config file: where it is, what it says, checked by the same table as the flags.
import { readFileSync, statSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineOptions, type OptionSchema, toError } from 'fastify-ah-kit'
import { AH_CLUSTER_USAGE } from '../errors.ts'
import { MANAGER_PROPERTIES } from '../options.ts'

/** A config file that was read. */
export interface ConfigFile {
  readonly path: string
  /** Option name → value, checked; those of every start command, whichever reads it. */
  readonly values: Readonly<Record<string, unknown>>
}

const NAMES = ['fastify-ah.config.js', 'fastify-ah.config.mjs', 'fastify-ah.config.json']

/** They say where the rest is read from, so they cannot come from there. */
const NOT_INSIDE: ReadonlySet<string> = new Set(['config', 'envFile'])

/** Whether an option may stand in the config file. */
function isConfigurable(name: string): boolean {
  return !NOT_INSIDE.has(name)
}

/**
 * Reads the file, or the one in the folder, that `wanted` names (`source` is how the operator named it); without
 * `wanted` the one in `root`, if there is one. Throws `AH_CLUSTER_USAGE`, naming the file.
 */
export async function readConfigFile(
  root: string,
  wanted: { readonly path: string; readonly source: string } | undefined,
): Promise<ConfigFile | undefined> {
  const path = wanted === undefined ? inFolder(root) : named(wanted.path, wanted.source)
  if (path === undefined) return undefined
  return { path, values: checked(path, extname(path) === '.json' ? parsed(path) : await imported(path)) }
}

function named(given: string, source: string): string {
  const path = resolve(given)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw new AH_CLUSTER_USAGE(`${source}: there is no config file ${path}`)
  if (!stats.isDirectory()) return path
  const found = inFolder(path)
  if (found !== undefined) return found
  throw new AH_CLUSTER_USAGE(`${source}: there is no ${NAMES.join(', ')} in ${path}`)
}

function inFolder(folder: string): string | undefined {
  const found = NAMES.map((name) => join(resolve(folder), name)).filter((path) =>
    statSync(path, { throwIfNoEntry: false })?.isFile(),
  )
  if (found.length < 2) return found[0]
  throw new AH_CLUSTER_USAGE(`there are several config files: ${found.join(', ')}; name one with --config`)
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new AH_CLUSTER_USAGE(`${path} cannot be read: ${toError(cause).message}`, { cause })
  }
}

async function imported(path: string): Promise<unknown> {
  let namespace: Record<string, unknown>
  try {
    namespace = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (thrown) {
    const error = toError(thrown)
    throw new AH_CLUSTER_USAGE(`${path} cannot be read\n${error.stack ?? error.message}`, { cause: error })
  }
  if (namespace['default'] !== undefined) return namespace['default']
  throw new AH_CLUSTER_USAGE(`${path} has no default export: export default { workers: 2, port: 8080 }`)
}

function checked(path: string, given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new AH_CLUSTER_USAGE(`${path}: expected an object of options, got ${kindOf(given)}`)
  }
  const { parse } = defineOptions<Record<string, unknown>>({
    package: path,
    error: AH_CLUSTER_USAGE,
    properties: Object.fromEntries(
      Object.entries(MANAGER_PROPERTIES)
        .filter(([name]) => isConfigurable(name))
        .map(([name, { default: _, ...schema }]): [string, OptionSchema] => [name, schema as OptionSchema]),
    ),
    renamed: Object.fromEntries(
      [...NOT_INSIDE].map((name) => [name, 'belongs on the command line or into the environment']),
    ),
  })
  const values = parse(given)
  // Paths in a file are meant from where the file lies; all others are taken from the project's folder.
  return typeof values['root'] === 'string' ? { ...values, root: resolve(dirname(path), values['root']) } : values
}

function kindOf(given: unknown): string {
  if (given === null) return 'null'
  return Array.isArray(given) ? 'a list' : `a ${typeof given}`
}
