// The command line of `fastify-ah tasks`: what is to be done, where, and how it is shown.
import { parseArgs } from 'node:util'
import { nearest, toError } from 'fastify-ah-kit'
import { AH_TASKS_USAGE } from '../errors.ts'

/** The commands: how few and how many arguments each takes, what the first is, and the flags of its own. */
const commands = {
  list: { least: 0, most: 1, first: 'a queue', flags: ['from', 'count'] },
  enqueue: { least: 1, most: 2, first: 'the name of a task', flags: ['queue', 'in', 'at', 'id', 'track', 'front'] },
  failed: { least: 0, most: 0, first: '', flags: ['from', 'count'] },
  retry: { least: 0, most: Number.POSITIVE_INFINITY, first: 'places in the failed list', flags: ['all', 'task'] },
  pause: { least: 1, most: Number.POSITIVE_INFINITY, first: 'a queue', flags: [] },
  resume: { least: 1, most: Number.POSITIVE_INFINITY, first: 'a queue', flags: [] },
  work: { least: 0, most: 1, first: 'an app file', flags: ['tasks', 'queues', 'max'] },
} as const

/** A command's name. */
export type CommandName = keyof typeof commands

const options = {
  redis: { type: 'string' },
  namespace: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  from: { type: 'string' },
  count: { type: 'string' },
  queue: { type: 'string' },
  in: { type: 'string' },
  at: { type: 'string' },
  id: { type: 'string' },
  track: { type: 'boolean' },
  front: { type: 'boolean' },
  all: { type: 'boolean' },
  task: { type: 'string' },
  tasks: { type: 'string' },
  queues: { type: 'string' },
  max: { type: 'string' },
} as const

const shared = ['redis', 'namespace', 'json', 'help']

/** The flags as they were given. */
export type Flags = ReturnType<typeof parse>['values']

/** A command line that says what is wanted. */
export interface CommandLine {
  readonly command: CommandName | 'help'
  readonly operands: readonly string[]
  readonly flags: Flags
}

/** Throws `AH_TASKS_USAGE`. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values: flags, positionals } = parse(args)
  const [name, ...operands] = positionals
  if (flags.help || name === 'help') return { command: 'help', operands: [], flags }
  const names = Object.keys(commands)
  if (name === undefined) throw new AH_TASKS_USAGE(`expected a command: ${names.join(', ')}`)
  if (!isCommand(name)) {
    const close = nearest(name, names)
    const hint = close === undefined ? `there are: ${names.join(', ')}` : `did you mean "${close}"?`
    throw new AH_TASKS_USAGE(`unknown command "${name}"; ${hint}`)
  }
  checkOperands(name, operands)
  for (const flag of Object.keys(flags)) {
    if (shared.includes(flag) || (commands[name].flags as readonly string[]).includes(flag)) continue
    throw new AH_TASKS_USAGE(`--${flag} does not belong to ${name}`)
  }
  return { command: name, operands, flags }
}

/** A whole number that a flag stands for. Throws `AH_TASKS_USAGE`. */
export function numberOf(flag: string, text: string | undefined, instead: number): number {
  if (text === undefined) return instead
  if (!/^\d{1,15}$/.test(text)) throw new AH_TASKS_USAGE(`${flag} expects a whole number, got "${text}"`)
  return Number(text)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (thrown) {
    const cause = toError(thrown)
    // Its second sentence explains how to pass a positional that looks like a flag.
    throw new AH_TASKS_USAGE(cause.message.split('. ', 1)[0] ?? cause.message, { cause })
  }
}

function checkOperands(name: CommandName, operands: readonly string[]): void {
  const { least, most, first } = commands[name]
  if (operands.length < least) throw new AH_TASKS_USAGE(`${name} needs ${first}`)
  if (operands.length > most) {
    const many = most === 0 ? 'no arguments' : most === 1 ? 'one argument' : `${most} arguments`
    throw new AH_TASKS_USAGE(`${name} takes ${many}`)
  }
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}
