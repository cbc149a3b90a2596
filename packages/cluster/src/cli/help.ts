// The texts of --help, from the same table as the flags.
import type { OptionSchema } from 'fastify-ah-kit'
import type { Extension } from './extension.ts'
import { flagNames, flagOf, type Properties, variableOf } from './flags.ts'

/** A command, as help shows it. */
export interface CommandHelp {
  readonly usage: string
  readonly summary: string
  readonly properties: Properties
  readonly examples: readonly string[]
}

const COMMANDS: readonly (readonly [usage: string, what: string])[] = [
  ['start [app]', 'one process'],
  ['start cluster [app]', 'a primary and its workers'],
  ['reload', 'replaces the workers of the running cluster, one after the other'],
  ['stop', 'drains and stops it'],
  ['status', 'shows it and its workers'],
  ['scale <n|+n|-n> [role]', 'changes the number of workers'],
  ['help [command]', "this text, or a command's"],
  ['--version', 'the version of fastify-ah-cluster'],
]

/** Commands and what they do; those of other packages that are installed too. */
export function overview(extensions: readonly Extension[]): string {
  const others = extensions.map(({ name, description }) => [`${name} …`, description] as const)
  const width = Math.max(...[...COMMANDS, ...others].map(([usage]) => usage.length))
  const row = ([usage, what]: readonly [string, string]) => `  fastify-ah ${usage.padEnd(width)}  ${what}`.trimEnd()
  return [
    'fastify-ah: starts a Fastify app as one process or as a cluster of workers',
    '',
    ...COMMANDS.map(row),
    ...(others.length === 0 ? [] : ['', 'Of the packages that are installed here:', '', ...others.map(row)]),
    '',
    'app is a module whose default export is a Fastify plugin (export "options" for the server\'s',
    'options), by default app.js, app.mjs, app.cjs, app.ts or app.mts here or in src/.',
    'Exit codes: 0 stopped in order, 1 failure, 2 wrong command line or environment, 3 no cluster runs.',
    '',
  ].join('\n')
}

/** Help of one command. */
export function commandHelp({ usage, summary, properties, examples }: CommandHelp): string {
  const rows = flagNames(properties).map((name) => row(name, properties[name]!))
  const width = Math.max(...rows.map(([left]) => left.length))
  const lines = rows.flatMap(([left, text, source]) => [
    `  ${left.padEnd(width)}  ${text}`,
    `  ${''.padEnd(width)}  ${source}`,
  ])
  return [
    `Usage: ${usage}`,
    '',
    summary,
    '',
    ...lines,
    `  ${'-h, --help'.padEnd(width)}  this text`,
    '',
    'Flags win over variables, these over the config file, where the names are written as in readyMs.',
    'PORT, PROJECT_ROOT, ACTIONHERO_TITLE and ACTIONHERO_CONFIG are read too.',
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
  ].join('\n')
}

function row(name: string, schema: OptionSchema): [left: string, text: string, source: string] {
  const short = name === 'workers' ? '-w, ' : name === 'port' ? '-p, ' : ''
  const value = placeholder(name, schema)
  const left =
    name === 'inspect'
      ? '--inspect[=<port>]'
      : schema.type === 'boolean'
        ? `${flagOf(name)}, --no-${flagOf(name).slice(2)}`
        : `${short}${flagOf(name)} ${value}`
  const byDefault = schema.default === undefined ? '' : ` (default ${String(schema.default)})`
  return [left, `${schema.description}${byDefault}`, variableOf(name)]
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  socket: '<path>',
  socketMode: '<mode>',
  socketGroup: '<group>',
  config: '<file>',
  envFile: '<file>',
  logFile: '<file>',
}

function placeholder(name: string, { type, enum: values }: OptionSchema): string {
  if (Array.isArray(values)) return '<level>'
  if (name.endsWith('Ms')) return '<ms>'
  if (name === 'port') return '<port>'
  if (type === 'integer') return '<number>'
  return PLACEHOLDERS[name] ?? '<text>'
}
