// Owns which package may import which.
import type { SourceFile } from './project.ts'

/**
 * Package → what it may import of ours. `(dynamic)` behind a name: only by `import()`, so that it costs nothing until
 * it is needed.
 */
const packageLayers: Readonly<Record<string, readonly string[]>> = {
  embedded: [],
  kit: ['fastify-ah-embedded (dynamic)'],
  cache: ['fastify-ah-kit', 'fastify-ah-kit/redis'],
  pubsub: ['fastify-ah-kit', 'fastify-ah-kit/redis'],
  tasks: ['fastify-ah-kit', 'fastify-ah-kit/redis'],
  stats: ['fastify-ah-kit', 'fastify-ah-kit/redis'],
  metrics: ['fastify-ah-kit', 'fastify-ah-kit/redis'],
  rooms: ['fastify-ah-kit', 'fastify-ah-kit/redis', 'fastify-ah-pubsub'],
  faye: ['fastify-ah-kit', 'fastify-ah-kit/redis', 'fastify-ah-pubsub'],
  // Without /redis: the manager has to live when Redis does not.
  cluster: ['fastify-ah-kit', 'fastify-ah-embedded'],
  'fastify-ah': ['fastify-ah-cluster', 'fastify-ah-cluster/cli'],
}

/** Every import across packages that the table does not allow. */
export function packageLayerViolations(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, module }) => {
    const name = path.split('/')[1] ?? ''
    const allowed = packageLayers[name]
    if (allowed === undefined) return [`${path}: the table of layers does not know the package ${name}`]
    return module.imports.flatMap(({ specifier, kind }) => {
      if (specifier === undefined) return []
      if (leavesPackage(path, specifier)) return [`${path} reaches into another package by ${specifier}`]
      if (!/^fastify-ah(?:-|\/|$)/.test(specifier)) return []
      if (allowed.includes(specifier)) return []
      if (!allowed.includes(`${specifier} (dynamic)`)) return [`${path} may not import ${specifier}`]
      return kind === 'static' ? [`${path} may import ${specifier} only by import()`] : []
    })
  })
}

function leavesPackage(path: string, specifier: string): boolean {
  if (!specifier.startsWith('.')) return false
  const resolved = new URL(specifier, `file:///${path}`).pathname.slice(1)
  return !resolved.startsWith(path.split('/').slice(0, 2).join('/'))
}
