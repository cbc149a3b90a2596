// The fastify-ah command: which command is meant, and with which exit code it ends.
import { readFileSync } from 'node:fs'
import { nearest, toError } from 'fastify-ah-kit'
import { AH_CLUSTER_OPTIONS, AH_CLUSTER_USAGE } from '../errors.ts'
import type { Command } from './command.ts'
import { readEnvironment } from './environment.ts'
import { commandHelp, overview } from './help.ts'
import { start } from './start.ts'
import { startCluster } from './start-cluster.ts'

// The longer name first: "start cluster" is not "start" with an app called "cluster".
const COMMANDS: readonly Command[] = [startCluster, start]

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
    const text = textOf(error)
    process.stderr.write(text.startsWith('fastify-ah ') ? `${text}\n` : `fastify-ah: ${text}\n`)
    return error instanceof AH_CLUSTER_USAGE || error instanceof AH_CLUSTER_OPTIONS ? USAGE : FAILED
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args
  if (first === undefined) {
    process.stderr.write(overview())
    return USAGE
  }
  if (first === '--version' || first === '-v') return print(version())
  if (first === '--help' || first === '-h') return print(overview())
  if (first === 'help') return print(rest.length === 0 ? overview() : commandHelp(commandOf(rest).help))
  const command = commandOf(args)
  const result = await command.run({
    args: args.slice(command.name.split(' ').length),
    environment: readEnvironment(),
    print: (line) => print(line),
    warn: (line) => process.stderr.write(`fastify-ah: ${line}\n`),
  })
  return result === 'help' ? print(commandHelp(command.help)) : result
}

function commandOf(words: readonly string[]): Command {
  const found = COMMANDS.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '))
  if (found !== undefined) return found
  const names = [...COMMANDS.map(({ name }) => name), 'help']
  const close = nearest(words[0]!, names)
  throw new AH_CLUSTER_USAGE(
    `unknown command "${words[0]}"${close === undefined ? `; there are: ${names.join(', ')}` : `, did you mean "${close}"?`}`,
  )
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
