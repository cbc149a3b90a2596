// Owns reading the tables of a README.

/** A row whose first cell is one name in backquotes: that name, and the other cells. */
export interface TableRow {
  readonly name: string
  readonly cells: readonly string[]
}

/** The rows of all tables below the heading (any level, as written), up to the next heading of that level or above. */
export function rowsBelow(readme: string, heading: string): TableRow[] | undefined {
  const lines = readme.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '').trim() === heading)
  if (start === -1) return undefined
  const level = /^#+/.exec(lines[start]!)![0].length
  const length = lines.slice(start + 1).findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 9) <= level)
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).flatMap(rowOf)
}

function rowOf(line: string): TableRow[] {
  if (!line.startsWith('|')) return []
  const cells = line
    .slice(1)
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())
  const name = /^`([^`]+)`$/.exec(cells[0] ?? '')?.[1]
  return name === undefined ? [] : [{ name, cells: cells.slice(1) }]
}
