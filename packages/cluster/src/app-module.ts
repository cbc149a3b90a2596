// The app file, loaded: its plugin, its options, and the Fastify that belongs to it.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { FastifyPluginAsync, FastifyPluginCallback, FastifyServerOptions } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { AH_CLUSTER_APP_INVALID, AH_CLUSTER_FASTIFY_NOT_FOUND } from './errors.ts'

/** What an app file exports, by the rules of fastify-cli. */
export interface AppModule {
  readonly plugin: FastifyPluginAsync<Record<string, unknown>> | FastifyPluginCallback<Record<string, unknown>>
  /** For the server and for the plugin. */
  readonly options: FastifyServerOptions & Record<string, unknown>
}

/** The function that makes a Fastify instance. */
export type Fastify = typeof import('fastify').fastify

const LOCATE_MS = 10_000

/** Imports the app file: ES module or CommonJS, TypeScript if a loader for it is there. */
export async function loadApp(file: string): Promise<AppModule> {
  const namespace = await importApp(file)
  const exported = namespace['default']
  // What TypeScript compiles to CommonJS has its own default inside of module.exports.
  const inner = isRecord(exported) ? exported : {}
  const plugin = typeof exported === 'function' ? exported : inner['default']
  if (typeof plugin !== 'function') throw new AH_CLUSTER_APP_INVALID(explainPlugin(file, exported, namespace))
  const options = namespace['options'] ?? inner['options'] ?? {}
  if (!isRecord(options)) {
    throw new AH_CLUSTER_APP_INVALID(`${file}: the export "options" must be an object, got ${typeof options}`)
  }
  return { plugin: plugin as AppModule['plugin'], options }
}

/** The Fastify that the app itself would import, else the one beside this package. */
export function loadFastify(file: string): Fastify {
  for (const from of [file, import.meta.url]) {
    const require = createRequire(from)
    try {
      return (require('fastify') as { fastify: Fastify }).fastify
    } catch (error) {
      if (!isMissing(error, 'fastify')) throw error
    }
  }
  throw new AH_CLUSTER_FASTIFY_NOT_FOUND(`fastify was not found from ${file}; run "npm install fastify" there`)
}

async function importApp(file: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(file).href
  try {
    return (await import(url)) as Record<string, unknown>
  } catch (thrown) {
    const error = toError(thrown)
    if ((error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(file)) {
      throw new AH_CLUSTER_APP_INVALID(
        `${file} is TypeScript, which this Node does not read by itself: npm install tsx, then start with NODE_OPTIONS="--import tsx"`,
        { cause: error },
      )
    }
    if (error instanceof SyntaxError && !/file:|\.[cm]?[jt]s:\d/.test(error.stack ?? '')) locate(error, url)
    throw error
  }
}

/**
 * Of a syntax error in an ES module only Node's own crash report says where it is; so a process is made to crash of
 * it. Nothing of the app runs there: syntax errors come before the first line is evaluated.
 */
function locate(error: SyntaxError, url: string): void {
  const { stderr } = spawnSync(
    process.execPath,
    [...process.execArgv, '--input-type=module', '-e', `import '${url}'`],
    {
      encoding: 'utf8',
      timeout: LOCATE_MS,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const report = /^file:.+:\d+\n[\s\S]*?(?=^\w*SyntaxError)/m.exec(stderr)?.[0]
  if (report !== undefined) error.stack = `${report.trimEnd()}\n${error.stack}`
}

function explainPlugin(file: string, exported: unknown, namespace: Record<string, unknown>): string {
  if (isRecord(exported) && typeof exported['listen'] === 'function') {
    return `${file} exports a Fastify instance; export the plugin instead: export default async function app(fastify, options) { … }`
  }
  if (exported === undefined || (isRecord(exported) && Object.keys(exported).length === 0)) {
    const names = Object.keys(namespace).filter((name) => name !== 'default' && name !== 'module.exports')
    const seen = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`
    return `${file} has no default export (${seen}): export default async function app(fastify, options) { … }`
  }
  return `${file}: the default export must be a Fastify plugin (a function), got ${exported === null ? 'null' : typeof exported}`
}

/** Whether it is the module itself that is missing, not one that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'MODULE_NOT_FOUND' && message.startsWith(`Cannot find module '${name}'`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
