// Owns the agreement between the error codes that a package makes and those that its README explains.
import type { SourceFile } from './project.ts'
import { rowsBelow } from './readme-table.ts'

/** Every disagreement. Codes are made in `errors.ts` files alone and explained below the heading "Errors". */
export function errorViolations(name: string, sources: readonly SourceFile[], readme: string): string[] {
  const made = new Set<string>()
  const violations: string[] = []
  for (const { path, module } of sources) {
    for (const code of module.createdCodes) {
      if (!path.endsWith('/errors.ts')) violations.push(`${path} makes ${code}: that belongs into errors.ts`)
      if (!code.startsWith(prefixOf(name))) violations.push(`${path}: ${code} has to begin with ${prefixOf(name)}`)
      if (made.has(code)) violations.push(`${path} makes ${code} a second time`)
      made.add(code)
    }
  }
  const rows = rowsBelow(readme, 'Errors') ?? []
  const explained = new Set(rows.map((row) => row.name))
  for (const code of made) if (!explained.has(code)) violations.push(`${name}: the README does not explain ${code}`)
  for (const code of explained)
    if (!made.has(code)) violations.push(`${name}: the README explains ${code}, which is never made`)
  return violations
}

function prefixOf(name: string): string {
  return name === 'fastify-ah' ? 'AH_' : `AH_${name.toUpperCase()}_`
}
