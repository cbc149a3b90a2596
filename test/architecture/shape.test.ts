// What a file may look like, and where the environment is read.
import assert from 'node:assert/strict'
import test from 'node:test'
import { environmentPlaces, environmentViolations } from './environment.ts'
import { indexViolations, shapeViolations } from './file-shape.ts'
import { allSources, packageSources, sourceOf } from './project.ts'

test('every file says what it owns, is named after it, and ends before line 250', () => {
  const sources = allSources()
  assert.ok(sources.length > 50, `only ${sources.length} files found`)
  assert.deepEqual(shapeViolations(sources), [])
})

test('a file that is too long, shapeless or without a first comment is found', () => {
  const found = (path: string, text: string) => shapeViolations([sourceOf(path, text)]).length
  const lines = (count: number) => `// Owns a.\n${'a()\n'.repeat(count - 1)}`
  assert.equal(found('packages/a/src/a.ts', lines(250)), 0)
  assert.equal(found('packages/a/src/a.ts', lines(251)), 1)
  for (const path of [
    'src/utils.ts',
    'src/util/a.ts',
    'src/redis-helper.ts',
    'src/common.ts',
    'src/lib/a.ts',
    'src/a.misc.ts',
  ]) {
    assert.equal(found(`packages/a/${path}`, '// Owns a.\n'), 1, path)
  }
  for (const path of ['src/library.ts', 'src/commons.ts', 'src/calibrate.ts']) {
    assert.equal(found(`packages/a/${path}`, '// Owns a.\n'), 0, path)
  }
  assert.equal(found('a.ts', 'a()\n// Owns a.\n'), 1)
  assert.equal(found('a.ts', ''), 1)
  assert.equal(found('a.ts', '\n// Owns a.\n'), 1)
  assert.equal(found('a.js', '#!/usr/bin/env node\n// The command.\n'), 0)
  assert.equal(found('a.js', '#!/usr/bin/env node\na()\n'), 1)
})

test('an index holds exports and the augmentation, nothing else', () => {
  assert.deepEqual(indexViolations(packageSources()), [])
})

test('an index that does something is found', () => {
  const found = (text: string, path = 'packages/cache/src/index.ts') => indexViolations([sourceOf(path, text)]).length
  const sound = `import type { Cache } from './cache.ts'
    import { fastifyAhCache } from './plugin.ts'
    export * from './errors.ts'
    export { type Cache, fastifyAhCache, fastifyAhCache as 'module.exports' }
    export default fastifyAhCache
    declare module 'fastify' { interface FastifyInstance { readonly cache: Cache } }`
  assert.equal(found(sound), 0)
  assert.equal(found('export const a = 1'), 1)
  assert.equal(found('export interface A {}'), 1)
  assert.equal(found('export default fp(plugin)'), 1)
  assert.equal(found('start()'), 1)
  assert.equal(found('export function a() {}', 'packages/kit/src/redis/index.ts'), 1)
})

test('the environment is read in one place of each program', () => {
  const sources = packageSources()
  assert.deepEqual(environmentViolations(sources), [])
  const readers = sources.filter(({ module }) => module.environmentReads > 0).map(({ path }) => path)
  assert.deepEqual(Object.keys(environmentPlaces).sort(), readers.sort(), 'a place that no longer reads it')
})

test('another place that reads the environment is found', () => {
  const source = sourceOf('packages/cache/src/plugin.ts', 'const url = process.env.REDIS_URL')
  assert.equal(environmentViolations([source]).length, 1)
  assert.equal(environmentViolations([source], { [source.path]: 'a reason' }).length, 0)
})
