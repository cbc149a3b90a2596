// Who may import whom: between packages, inside a package, and never in a circle.
import assert from 'node:assert/strict'
import test from 'node:test'
import { fileLayerViolations, folderViolations } from './file-layers.ts'
import { cycles } from './import-graph.ts'
import { packageLayerViolations } from './package-layers.ts'
import { packageNames, packageSources, sourceOf } from './project.ts'

/** They decorate nothing, so they have neither facade nor plugin. */
const withoutPlugin = ['kit', 'embedded', 'fastify-ah']

const source = (path: string, ...imported: string[]) =>
  sourceOf(`packages/${path}`, imported.map((specifier) => `import '${specifier}'\n`).join(''))

test('the packages import only what their layer allows', () => {
  assert.deepEqual(packageLayerViolations(packageSources()), [])
})

test('an import against the layers of the packages is found', () => {
  const found = (path: string, text: string) => packageLayerViolations([sourceOf(`packages/${path}`, text)])
  assert.deepEqual(found('cache/src/a.ts', `import 'fastify-ah-kit/redis'; import 'fastify'; import './b.ts'`), [])
  assert.deepEqual(found('kit/src/a.ts', `await import('fastify-ah-embedded')`), [])
  assert.deepEqual(found('kit/src/a.ts', `import type { A } from 'fastify-ah-embedded'`), [])
  const wrong: [path: string, text: string][] = [
    ['cluster/src/a.ts', `import { connect } from 'fastify-ah-kit/redis'`],
    ['cluster/src/a.ts', `await import('fastify-ah-kit/redis')`],
    ['cluster/src/a.ts', `import type { Redis } from 'fastify-ah-kit/redis'`],
    ['cluster/src/a.ts', `export * from 'fastify-ah-cache'`],
    ['cache/src/a.ts', `import 'fastify-ah-kit/dist/loop.js'`],
    ['cache/src/a.ts', `import '../../kit/src/loop.ts'`],
    ['kit/src/a.ts', `import { start } from 'fastify-ah-embedded'`],
    ['embedded/src/a.ts', `import 'fastify-ah-kit'`],
    ['new/src/a.ts', ``],
  ]
  for (const [path, text] of wrong) assert.equal(found(path, text).length, 1, `${path}: ${text}`)
})

test('the files of every plugin import downwards only', () => {
  const sources = packageSources()
  for (const name of packageNames()) {
    const own = sources.filter(({ path }) => path.startsWith(`packages/${name}/`))
    const violations = withoutPlugin.includes(name) ? folderViolations(own) : fileLayerViolations(name, own)
    assert.deepEqual(violations, [])
  }
})

test('an import that goes up inside a plugin is found', () => {
  const sound = [
    source('cache/src/index.ts', './plugin.ts', './cache.ts', './errors.ts'),
    source('cache/src/plugin.ts', './cache.ts', './options.ts'),
    source('cache/src/cache.ts', './reader.ts', './keys.ts'),
    source('cache/src/reader.ts', './store/read.ts', './frame.ts', './errors.ts'),
    source('cache/src/store/read.ts', '../scripts/load.ts', '../frame.ts', '../keys.ts'),
    source('cache/src/scripts/load.ts', '../keys.ts'),
    source('cache/src/frame.ts', './types.ts'),
    source('cache/src/options.ts', './types.ts', './errors.ts'),
    source('cache/src/keys.ts'),
    source('cache/src/types.ts'),
    source('cache/src/errors.ts'),
  ]
  const found = (...changed: ReturnType<typeof source>[]) => {
    const replaced = new Map([...sound, ...changed].map((file) => [file.path, file]))
    return fileLayerViolations('cache', [...replaced.values()])
  }
  assert.deepEqual(found(), [])
  assert.equal(found(source('cache/src/keys.ts', './frame.ts')).length, 1, 'foundation imports a part')
  assert.equal(found(source('cache/src/reader.ts', './cache.ts')).length, 1, 'a part imports the facade')
  assert.equal(
    found(source('cache/src/cache.ts', './reader.ts', './plugin.ts')).length,
    1,
    'the facade imports the plugin',
  )
  assert.equal(found(source('cache/src/plugin.ts', './cache.ts', './options.ts', './index.ts')).length, 1, 'index')
  assert.equal(found(source('cache/src/frame.ts', './cli/index.ts'), source('cache/src/cli/index.ts')).length, 1, 'cli')
  assert.equal(found(source('cache/src/store/read.ts', '../reader.ts')).length, 1, 'the store imports an actor')
  assert.equal(
    found(source('cache/src/scripts/load.ts', '../far.ts'), source('cache/src/far.ts', './reader.ts')).length,
    1,
    'a script imports what imports an actor',
  )
})

test('a file of the root that imports what is built on it is found', () => {
  assert.deepEqual(folderViolations([source('kit/src/redis/keys.ts', '../errors.ts')]), [])
  assert.equal(folderViolations([source('kit/src/loop.ts', './redis/keys.ts')]).length, 1)
})

test('no file imports itself through others', () => {
  assert.deepEqual(cycles(packageSources()), [])
})

test('a circle of imports is found, of types too, and once', () => {
  const circle = [
    source('kit/src/a.ts', './b.ts'),
    source('kit/src/b.ts', './c/index.ts'),
    sourceOf('packages/kit/src/c/index.ts', `export type { A } from '../a.ts'`),
    source('kit/src/d.ts', './a.ts'),
  ]
  const [a, b, c] = ['packages/kit/src/a.ts', 'packages/kit/src/b.ts', 'packages/kit/src/c/index.ts']
  assert.deepEqual(cycles(circle), [`${a} → ${b} → ${c} → ${a}`])
  assert.deepEqual(cycles(circle.slice(0, 2)), [])
  assert.deepEqual(cycles([source('kit/src/a.ts', './a.ts')]), [`${a} → ${a}`])
})
