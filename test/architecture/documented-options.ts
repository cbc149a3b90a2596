// Owns the agreement between a package's options and the table of them in its README.
import { rowsBelow } from './readme-table.ts'

/** An option's schema, as far as the README has to agree with it. */
export interface OptionShape {
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, OptionShape>>
}

/**
 * Every disagreement. The tables stand below the heading "Options": a row per option, inner ones as `outer.inner`, flags
 * as `--its-name`; one of its cells is the default, if there is one.
 */
export function optionViolations(
  name: string,
  properties: Readonly<Record<string, OptionShape>>,
  readme: string,
): string[] {
  const rows = rowsBelow(readme, 'Options')
  if (rows === undefined) return [`${name}: the README has no heading "Options"`]
  const options = flattened(properties, '')
  const missing = [...options].flatMap(([option, schema]) => {
    const own = rows.filter((candidate) => optionOf(candidate.name) === option)
    if (own.length === 0) return [`${name}: the README does not explain the option ${option}`]
    // An object's default is that of its inner options.
    if (schema.default === undefined || schema.properties !== undefined) return []
    const isSaid = own.some(({ cells }) => cells.some((cell) => plain(cell) === plain(shown(schema.default))))
    return isSaid ? [] : [`${name}: the README does not say that ${option} defaults to ${shown(schema.default)}`]
  })
  const unknown = rows
    .filter((row) => !options.has(optionOf(row.name)))
    .map((row) => `${name}: the README explains the option ${row.name}, which does not exist`)
  return [...missing, ...unknown]
}

function flattened(properties: Readonly<Record<string, OptionShape>>, outer: string): Map<string, OptionShape> {
  const found = new Map<string, OptionShape>()
  for (const [name, schema] of Object.entries(properties)) {
    found.set(outer + name, schema)
    for (const [inner, its] of flattened(schema.properties ?? {}, `${outer}${name}.`)) found.set(inner, its)
  }
  return found
}

/** A command's flag has the name of its option: `--ready-ms <ms>` is readyMs. */
function optionOf(name: string): string {
  const flag = /^--([a-z-]+)/.exec(name)?.[1]
  return flag === undefined ? name : flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `` `15 000` `` in a table is 15000 in the schema, and `'actionhero:'` is actionhero: */
function plain(cell: string): string {
  return cell.replace(/[`'"\s]|(?<=\d)[_,](?=\d{3})/g, '')
}
