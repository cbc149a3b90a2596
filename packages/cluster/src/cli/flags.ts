// Flags: derived from the options' table, read from the command line and from the environment, checked alike.
import { parseArgs } from 'node:util'
import { defineOptions, type OptionSchema } from 'fastify-ah-kit'
import { AH_CLUSTER_USAGE } from '../errors.ts'
import { PREFIX } from './environment.ts'

/** Options of a command by name; `app`, `root` and `onCrash` are no flags. */
export type Properties = Readonly<Record<string, OptionSchema>>

/** What stands on the command line. */
export interface CommandLine {
  /** Option name → value, checked. */
  readonly values: Readonly<Record<string, unknown>>
  readonly positionals: readonly string[]
  readonly wantsHelp: boolean
}

const NO_FLAGS: ReadonlySet<string> = new Set(['app', 'root', 'onCrash'])
const SHORT: Readonly<Record<string, string>> = { workers: 'w', port: 'p' }

/** ActionHero's names, and what to say of them. */
const RENAMED: Readonly<Record<string, string>> = {
  workerTitlePrefix: '--title',
  expectedWorkers: '--workers',
  stopTimeout: '--drain-ms',
  silent: 'is gone: use --log-level silent',
  exec: 'is gone: name the app file as argument',
  execPath: 'is gone: name the app file as argument',
  log: 'is gone: the log goes to stdout',
  logPath: 'is gone: the log goes to stdout',
  logFile: 'is gone: the log goes to stdout',
}

/** `drainMs` → `--drain-ms`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `drainMs` → `FASTIFY_AH_DRAIN_MS`. */
export function variableOf(name: string): string {
  return `${PREFIX}${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`
}

/** The options that have a flag. */
export function flagNames(properties: Properties): string[] {
  return Object.keys(properties).filter((name) => !NO_FLAGS.has(name))
}

/** Reads the command line of `command`. Throws `AH_CLUSTER_USAGE`. */
export function readFlags(command: string, properties: Properties, args: readonly string[]): CommandLine {
  const names = flagNames(properties)
  const { tokens } = parseArgs({
    args: withNumbers(properties, args),
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(names.map((name) => [flagOf(name).slice(2), parseRule(name, properties[name]!)])),
    },
    // Its own errors know neither "did you mean" nor ActionHero's names.
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given: Record<string, unknown> = {}
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    // A short one that is known comes with its long name.
    const raw = token.name.length > 1 && !token.rawName.startsWith('--') ? `--${token.name}` : token.rawName
    if (token.value === undefined && names.some((name) => flagOf(name) === raw && !isSwitch(properties[name]!))) {
      throw new AH_CLUSTER_USAGE(`${command}: option "${raw}" needs a value`)
    }
    const negated = raw.replace(/^--no-/, '--')
    const isNegation = raw !== negated && names.some((name) => flagOf(name) === negated)
    const key = isNegation ? negated : raw
    const value = isNegation ? false : (token.value ?? true)
    const isRepeatable = names.some((name) => flagOf(name) === key && isList(properties[name]!))
    given[key] = isRepeatable ? [...((given[key] as unknown[] | undefined) ?? []), value] : value
  }
  const wantsHelp = given['--help'] !== undefined
  delete given['--help']
  return { values: wantsHelp ? {} : check(command, properties, flagOf, given), positionals, wantsHelp }
}

/** Reads `FASTIFY_AH_*`. Throws `AH_CLUSTER_USAGE` for a wrong value; names that mean nothing here are answered. */
export function readVariables(
  command: string,
  properties: Properties,
  given: Readonly<Record<string, string>>,
): { values: Readonly<Record<string, unknown>>; unknown: string[] } {
  const known = new Set(flagNames(properties).map(variableOf))
  const ours = Object.fromEntries(Object.entries(given).filter(([name]) => known.has(name)))
  const unknown = Object.keys(given).filter((name) => !known.has(name))
  return { values: check(command, properties, variableOf, ours), unknown }
}

/** Checks values that are named as the operator named them, so that the message speaks of what he wrote. */
function check(
  command: string,
  properties: Properties,
  nameOf: (name: string) => string,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = flagNames(properties)
  const { parse } = defineOptions<Record<string, unknown>>({
    package: command,
    error: AH_CLUSTER_USAGE,
    properties: Object.fromEntries(names.map((name) => [nameOf(name), withoutDefault(properties[name]!)])),
    renamed: Object.fromEntries(
      Object.entries(RENAMED).flatMap(([old, now]) => [
        [`--${old}`, now],
        [flagOf(old), now],
      ]),
    ),
  })
  const byName = new Map(names.map((name) => [nameOf(name), properties[name]!]))
  const checked = parse(
    Object.fromEntries(Object.entries(given).map(([name, value]) => [name, typed(byName.get(name), value)])),
  )
  return Object.fromEntries(
    names.filter((name) => nameOf(name) in checked).map((name) => [name, checked[nameOf(name)]]),
  )
}

/** Defaults come last, after the flags, the environment and whatever else has a say. */
function withoutDefault({ default: _, ...schema }: OptionSchema): OptionSchema {
  return schema
}

function isList({ type }: OptionSchema): boolean {
  return type === 'array'
}

function isSwitch({ type }: OptionSchema): boolean {
  // One that may have a value as well: `--inspect`, `--inspect=9300`.
  return [type].flat().includes('boolean')
}

/** `--inspect 9400` as `--inspect=9400`: the parser would take a number behind a switch for the app. */
function withNumbers(properties: Properties, args: readonly string[]): string[] {
  const numbered = flagNames(properties).filter((name) => {
    return isSwitch(properties[name]!) && [properties[name]!.type].flat().includes('integer')
  })
  const joined: string[] = []
  for (const arg of args) {
    const last = joined.at(-1)
    if (/^\d+$/.test(arg) && numbered.some((name) => flagOf(name) === last))
      joined[joined.length - 1] = `${last}=${arg}`
    else joined.push(arg)
  }
  return joined
}

function parseRule(name: string, schema: OptionSchema): { type: 'boolean' | 'string'; short?: string } {
  const short = SHORT[name]
  return { type: isSwitch(schema) ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) }
}

/** Text that stands for a number or a truth value, where one is wanted. */
function typed(schema: OptionSchema | undefined, value: unknown): unknown {
  if (schema === undefined || schema.type === 'string' || typeof value !== 'string') return value
  // Only a variable says several at once; a flag is repeated.
  if (isList(schema)) return value.split(',').map((part) => part.trim())
  if (isSwitch(schema) && /^(true|false)$/.test(value)) return value === 'true'
  if (schema.type === 'boolean' && /^[10]$/.test(value)) return value === '1'
  return /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}
