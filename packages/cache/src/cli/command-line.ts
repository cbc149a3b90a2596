// The command line of `fastify-ah cache`: what is to be done, where, and how it is shown.
import { parseArgs } from 'node:util'
import { nearest, toError } from 'fastify-ah-kit'
import { AH_CACHE_USAGE } from '../errors.ts'

/** The commands, with how many arguments each may have. */
const commands = {
  keys: [0, 1],
  get: [1, 1],
  del: [1, Number.POSITIVE_INFINITY],
  clear: [0, 1],
  dump: [1, 1],
  load: [1, 1],
} as const

/** A command's name. */
export type CommandName = keyof typeof commands

/** A command line that says what is wanted. */
export interface CommandLine {
  readonly command: CommandName | 'help'
  readonly operands: readonly string[]
  readonly redis: string | undefined
  readonly prefix: string | undefined
  readonly json: boolean
}

const options = {
  redis: { type: 'string' },
  prefix: { type: 'string' },
  json: { type: 'boolean' },
  all: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Throws `AH_CACHE_USAGE`. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args)
  const { redis, prefix, json = false, all = false, help = false } = values
  const [name, ...operands] = positionals
  const place = { redis, prefix, json }
  if (help || name === 'help') return { command: 'help', operands: [], ...place }
  if (name === undefined) throw new AH_CACHE_USAGE(`expected a command: ${Object.keys(commands).join(', ')}`)
  if (!isCommand(name)) {
    const close = nearest(name, Object.keys(commands))
    const hint = close === undefined ? `there are: ${Object.keys(commands).join(', ')}` : `did you mean "${close}"?`
    throw new AH_CACHE_USAGE(`unknown command "${name}"; ${hint}`)
  }
  checkOperands(name, operands, all)
  return { command: name, operands, ...place }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (thrown) {
    const cause = toError(thrown)
    // Its second sentence explains how to pass a positional that looks like a flag.
    throw new AH_CACHE_USAGE(cause.message.split('. ', 1)[0] ?? cause.message, { cause })
  }
}

function checkOperands(name: CommandName, operands: readonly string[], all: boolean): void {
  const [least, most] = commands[name]
  if (all && name !== 'clear') throw new AH_CACHE_USAGE(`--all belongs to clear, not to ${name}`)
  if (operands.length < least)
    throw new AH_CACHE_USAGE(`${name} needs ${name === 'dump' || name === 'load' ? 'a file' : 'a key'}`)
  if (operands.length > most)
    throw new AH_CACHE_USAGE(`${name} takes ${most === 1 ? 'one argument' : `${most} arguments`}`)
  // An empty prefix is that of all keys; nobody should clear everything because a variable of a script was empty.
  if (name === 'clear' && (operands[0] ?? '') === '' && !all) {
    throw new AH_CACHE_USAGE('clear needs the beginning of the keys, or --all')
  }
  if (name === 'clear' && operands.length > 0 && all) throw new AH_CACHE_USAGE('give clear either a beginning or --all')
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}
