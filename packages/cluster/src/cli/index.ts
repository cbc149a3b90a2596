// The fastify-ah command: which command is meant, and with which exit code it ends.
import { readFileSync } from 'node:fs'
import { nearest, toError } from 'fastify-ah-kit'
import { AH_CLUSTER_OPTIONS, AH_CLUSTER_USAGE } from '../errors.ts'
import type { Command } from './command.ts'
import { tellFailure } from './daemon-news.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { installedExtensions, isExtensionName, lookedFor, runExtension } from './extension.ts'
import { commandHelp, overview } from './help.ts'
import { reload, scale, status, stop } from './manage.ts'
import { start } from './start.ts'
import { startCluster } from './start-cluster.ts'

// The longer name first: "start cluster" is not "start" with an app called "cluster".
const COMMANDS: readonly Command[] = [startCluster, start, reload, stop, status, scale]

/** Exit codes: stopped in order, failure, wrong usage. */
const OK = 0
const FAILED = 1
const USAGE = 2

/**
 * Runs the command line and ends the process with its exit code: 0 stopped in order, 1 failure, 2 wrong command line
 * or environment.
 */
export async function run(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  process.exit(await exitCodeOf(args))
}

async function exitCodeOf(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args)
  } catch (thrown) {
    const error = toError(thrown)
    const said = textOf(error)
    const text = said.startsWith('fastify-ah ') ? said : `fastify-ah: ${said}`
    const code = error instanceof AH_CLUSTER_USAGE || error instanceof AH_CLUSTER_OPTIONS ? USAGE : FAILED
    process.stderr.write(`${text}\n`)
    if (readEnvironment().isDetached) await tellFailure(text, code)
    return code
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args
  const environment = readEnvironment()
  const overviewHere = () => overview(installedExtensions(environment.root))
  if (first === undefined) {
    process.stderr.write(overviewHere())
    return USAGE
  }
  if (first === '--version' || first === '-v') return print(version())
  if (first === '--help' || first === '-h') return print(overviewHere())
  if (first === 'help') return rest.length === 0 ? print(overviewHere()) : helpOf(rest, environment)
  const command = commandOf(args)
  if (command === undefined) return extension(first, rest, environment)
  const result = await command.run({
    args: args.slice(command.name.split(' ').length),
    environment,
    print: (line) => print(line),
    warn: (line) => process.stderr.write(`fastify-ah: ${line}\n`),
  })
  return result === 'help' ? print(commandHelp(command.help)) : result
}

/** The help of a command of a package is its own to print. */
function helpOf(words: readonly string[], environment: Environment): Promise<number> | number {
  const command = commandOf(words)
  return command === undefined ? extension(words[0]!, ['--help'], environment) : print(commandHelp(command.help))
}

function commandOf(words: readonly string[]): Command | undefined {
  return COMMANDS.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '))
}

async function extension(name: string, args: readonly string[], { root }: Environment): Promise<number> {
  const code = isExtensionName(name) ? await runExtension(name, root, args) : undefined
  if (code !== undefined) return code
  const installed = installedExtensions(root)
  const names = [...COMMANDS.map((command) => command.name), 'help', ...installed.map((command) => command.name)]
  // "cluster" alone is meant as "start cluster".
  const close = names.find((known) => known.split(' ').at(-1) === name) ?? nearest(name, names)
  const advice = close === undefined ? `; there are: ${names.join(', ')}` : `, did you mean "${close}"?`
  const search = isExtensionName(name) ? ` (${lookedFor(name, root)})` : ''
  throw new AH_CLUSTER_USAGE(`unknown command "${name}"${advice}${search}`)
}

function print(text: string): number {
  process.stdout.write(`${text.trimEnd()}\n`)
  return OK
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

/** Errors of ours say all there is to say; others show where they come from. */
function textOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  if (code?.startsWith('AH_') !== true) return error.stack ?? error.message
  // A message of several lines ends with a stack: the code belongs to its first.
  const [first, ...rest] = error.message.split('\n')
  return [`${first} (${code})`, ...rest].join('\n')
}
