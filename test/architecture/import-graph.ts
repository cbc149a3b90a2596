// Owns who imports whom inside the project, and its cycles.
import { posix } from 'node:path'
import type { SourceFile } from './project.ts'

/** The paths of the project's files that `file` imports by a relative name, types included. */
export function ownImports(file: SourceFile): string[] {
  return file.module.imports
    .flatMap(({ specifier }) => (specifier?.startsWith('.') ? [posix.join(posix.dirname(file.path), specifier)] : []))
    .filter((path, index, all) => all.indexOf(path) === index)
}

/** Every cycle once, as `a → b → a`. */
export function cycles(sources: readonly SourceFile[]): string[] {
  const importsOf = new Map(sources.map((file) => [file.path, ownImports(file)]))
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) found.push([...trail.slice(start), path].join(' → '))
    if (start !== -1 || done.has(path)) return
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of importsOf.keys()) visit(path, [])
  return found
}
