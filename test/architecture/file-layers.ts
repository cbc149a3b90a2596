// Owns which file of a plugin may import which: foundation → parts → facade → plugin → index and programs.
import { ownImports } from './import-graph.ts'
import type { SourceFile } from './project.ts'

const FOUNDATION = 0
const PART = 1
const FACADE = 2
const PLUGIN = 3
const TOP = 4
const layerNames = ['foundation (types, errors, keys, options)', 'parts', 'facade', 'plugin', 'index and programs']

/** Every import of a plugin package's files that goes up. `name` is the package's folder. */
export function fileLayerViolations(name: string, sources: readonly SourceFile[]): string[] {
  const files = new Map(sources.map((file) => [file.path, file]))
  const imported = new Set(sources.flatMap(ownImports))
  const layer = (path: string) => layerOf(name, path, imported.has(path))
  const upward = sources.flatMap((file) =>
    ownImports(file)
      .filter((path) => files.has(path) && layer(path) > layer(file.path))
      .map((path) => `${file.path} (${layerNames[layer(file.path)]}) imports ${path} (${layerNames[layer(path)]})`),
  )
  return [...upward, ...dataReachingUp(sources, files)]
}

/** In the kit and the store, which are no plugins: what lies in a folder may know the root's files, never the reverse. */
export function folderViolations(sources: readonly SourceFile[]): string[] {
  return sources.flatMap((file) => {
    const folder = folderOf(file.path)
    if (folder !== '') return []
    return ownImports(file)
      .filter((path) => folderOf(path) !== '')
      .map((path) => `${file.path} imports ${path}, which is built on top of it`)
  })
}

function layerOf(name: string, path: string, isImported: boolean): number {
  const file = path.replace(/^packages\/[^/]+\//, '').replace(/\.[a-z]+$/, '')
  if (/^src\/(?:types|errors|keys|options)$/.test(file)) return FOUNDATION
  if (file === 'src/index' || !isImported || /^(?:src\/cli|bin)\//.test(file)) return TOP
  if (file === 'src/plugin') return PLUGIN
  if (file === `src/${name}`) return FACADE
  return PART
}

/** Scripts and the store are what actors stand on: they may use pure parts, not what uses scripts or the store itself. */
function dataReachingUp(sources: readonly SourceFile[], files: ReadonlyMap<string, SourceFile>): string[] {
  const isData = (path: string) => ['scripts', 'store'].includes(folderOf(path))
  const actors = new Map<string, boolean>()
  const isActor = (path: string): boolean => {
    const known = actors.get(path)
    if (known !== undefined) return known
    actors.set(path, false)
    const file = files.get(path)
    const found = file !== undefined && ownImports(file).some((next) => isData(next) || isActor(next))
    actors.set(path, found)
    return found
  }
  return sources
    .filter(({ path }) => isData(path))
    .flatMap((file) =>
      ownImports(file)
        .filter((path) => !isData(path) && isActor(path))
        .map((path) => `${file.path} imports ${path}, which itself uses scripts or the store`),
    )
}

function folderOf(path: string): string {
  return /^packages\/[^/]+\/src\/(?:([^/]+)\/)?/.exec(path)?.[1] ?? ''
}
