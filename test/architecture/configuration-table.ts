// Owns the tables of docs/configuration.md, as the code has them: options of the commands, and variables that are read.
import type { OptionShape } from './documented-options.ts'

/** An option of a command, as far as the table shows it. */
export interface CommandOption extends OptionShape {
  readonly description: string
}

/** How the command names its options; from the package itself. */
export interface OptionNames {
  flagOf(name: string): string
  variableOf(name: string): string
  /** Those that have a flag. */
  flagNames(properties: Readonly<Record<string, CommandOption>>): string[]
}

/** The options that say where the rest is read from, so that no file can hold them. */
const NOT_IN_FILE = ['config', 'envFile']
/** Those without a flag, and what stands for one. */
const INSTEAD: Readonly<Record<string, string>> = { app: 'argument', root: '' }
const INSTEAD_VARIABLE: Readonly<Record<string, string>> = { app: '', root: '`PROJECT_ROOT`' }

const HEAD = [
  '| config key | flag | variable | `start` too | default | what |',
  '| --- | --- | --- | --- | --- | --- |',
]

/** The table of all options of `start cluster`; which of them `start` knows as well is a column. */
export function optionTable(
  cluster: Readonly<Record<string, CommandOption>>,
  single: Readonly<Record<string, CommandOption>>,
  names: OptionNames,
): string[] {
  const flags = new Set(names.flagNames(cluster))
  const rows = Object.entries(cluster).map(([name, { description, default: byDefault }]) => {
    const key = NOT_IN_FILE.includes(name) ? '–' : `\`${name}\``
    const flag = flags.has(name) ? `\`${names.flagOf(name)}\`` : (INSTEAD[name] ?? '')
    const variable = flags.has(name) ? `\`${names.variableOf(name)}\`` : (INSTEAD_VARIABLE[name] ?? '')
    const shown = byDefault === undefined ? '' : `\`${String(byDefault)}\``
    return [key, flag, variable, Object.hasOwn(single, name) ? 'yes' : '', shown, description.replaceAll('|', '\\|')]
  })
  return [...HEAD, ...rows.map((cells) => `| ${cells.join(' | ')} |`)]
}

/** Every variable that a source takes from the environment by its name: `all['PORT']`, `{ NODE_ENV } = process.env`. */
export function variablesIn(text: string): string[] {
  const byKey = [...text.matchAll(/\ball\['([A-Z_]+)'\]/g)].map(([, name]) => name!)
  const taken = [...text.matchAll(/\{([^{}]*)\} = process\.env/g)].flatMap(
    ([, names]) => names!.match(/[A-Z_]{2,}/g) ?? [],
  )
  return [...new Set([...byKey, ...taken])].sort()
}

/** Lines of `wanted` that `page` lacks; cells may be padded there. */
export function missingLines(page: string, wanted: readonly string[]): string[] {
  const lines = new Set(page.split('\n').map(plain))
  return wanted.filter((line) => !lines.has(plain(line)))
}

function plain(line: string): string {
  return line.replace(/-{3,}/g, '---').replace(/ +/g, ' ').trim()
}
