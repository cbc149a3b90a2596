// What a package shows to the world: its package.json, and a README that agrees with the code both ways.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { errorViolations } from './documented-errors.ts'
import { type OptionShape, optionViolations } from './documented-options.ts'
import { manifestViolations } from './manifest.ts'
import { packageNames, packageSources, root, sourceOf, textOf } from './project.ts'
import { rowsBelow } from './readme-table.ts'

/** Packages that are tested in another folder than their own, and why. */
const testedElsewhere: Readonly<Record<string, string>> = {
  'fastify-ah': 'it is a bin that calls cluster/cli: test/cluster runs it, test/published installs it',
}

const readmeOf = (name: string) => textOf(`packages/${name}/README.md`) ?? ''
const sourcesOf = (name: string) => packageSources().filter(({ path }) => path.startsWith(`packages/${name}/`))

for (const name of packageNames()) {
  test(`${name}: the package.json keeps the conventions; README, LICENSE and tests are there`, () => {
    const isPlugin = existsSync(join(root, 'packages', name, 'src/plugin.ts'))
    const manifest = JSON.parse(textOf(`packages/${name}/package.json`)!)
    assert.deepEqual(manifestViolations(name, manifest, isPlugin), [])
    assert.ok(readmeOf(name).startsWith('# '), 'README.md')
    assert.equal(textOf(`packages/${name}/LICENSE`), textOf('LICENSE'))
    assert.ok(existsSync(join(root, 'test', name)) || testedElsewhere[name] !== undefined, `test/${name}`)
  })

  test(`${name}: the README explains every error code, and no other`, () => {
    assert.deepEqual(errorViolations(name, sourcesOf(name), readmeOf(name)), [])
  })
}

for (const name of packageNames().filter((name) => textOf(`packages/${name}/src/plugin.ts`) !== undefined)) {
  test(`${name}: the README explains every option with its default, and no other`, async () => {
    const exported: object = await import(pathToFileURL(join(root, 'packages', name, 'dist/options.js')).href)
    const checked = Object.values(exported).filter((value) => typeof value?.definition === 'object')
    assert.notEqual(checked.length, 0, 'options.ts exports none that are made by defineOptions')
    const properties = Object.assign({}, ...checked.map(({ definition }) => definition.properties))
    assert.deepEqual(optionViolations(name, properties, readmeOf(name)), [])
  })
}

test('a departure in a package.json is found', () => {
  const sound = {
    name: 'fastify-ah-cache',
    version: '0.1.0',
    description: 'a',
    keywords: [],
    license: 'MIT',
    type: 'module',
    engines: { node: '>=20.19' },
    sideEffects: false,
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
    files: ['dist', 'README.md', 'LICENSE'],
    dependencies: { 'fastify-ah-kit': 'workspace:^' },
    peerDependencies: { fastify: '^5.0.0' },
  }
  const found = (change: object) => manifestViolations('cache', { ...sound, ...change }, true).length
  assert.equal(found({}), 0)
  assert.equal(found({ name: 'cache' }), 1)
  assert.equal(found({ type: 'commonjs' }), 1)
  assert.equal(found({ license: undefined }), 1)
  assert.equal(found({ engines: { node: '>=20' } }), 1)
  assert.equal(found({ sideEffects: undefined }), 1)
  assert.equal(found({ private: true }), 1)
  assert.equal(found({ description: undefined }), 1)
  assert.equal(found({ files: ['dist', 'README.md'] }), 1)
  assert.equal(found({ files: ['README.md', 'LICENSE'] }), 1)
  assert.equal(found({ bin: { cache: './bin/cache.js' } }), 1)
  assert.equal(found({ peerDependencies: {} }), 1)
  assert.equal(found({ peerDependencies: { fastify: '^5.0.0', 'fastify-ah-kit': 'workspace:^' } }), 1)
  assert.equal(found({ dependencies: { 'fastify-ah-kit': '^0.1.0' } }), 1)
  const entry = (target: unknown) => found({ exports: { ...sound.exports, './plugin': target } })
  assert.equal(entry({ types: './dist/plugin.d.ts', default: './dist/plugin.js' }), 0)
  assert.equal(entry({ default: './dist/plugin.js', types: './dist/plugin.d.ts' }), 1)
  assert.equal(entry({ types: './src/plugin.ts', default: './dist/plugin.js' }), 2, 'and src is not published')
  assert.equal(entry('./dist/plugin.js'), 1)
  assert.equal(found({ exports: { '.': sound.exports['.'] } }), 1)
})

test('an error code that only the code or only the README knows is found', () => {
  const made = (code: string, file = 'errors.ts') =>
    sourceOf(`packages/cache/src/${file}`, `createError('${code}', '%s')`)
  const readme = '# cache\n\n## Errors\n\n| code | when |\n|---|---|\n| `AH_CACHE_LOCKED` | another holds the lock |\n'
  const found = (...sources: ReturnType<typeof made>[]) => errorViolations('cache', sources, readme)
  assert.deepEqual(found(made('AH_CACHE_LOCKED')), [])
  assert.equal(found().length, 1, 'only the README')
  assert.equal(found(made('AH_CACHE_LOCKED'), made('AH_CACHE_VALUE')).length, 1, 'only the code')
  assert.equal(found(made('AH_CACHE_LOCKED', 'cache.ts')).length, 1, 'not in errors.ts')
  assert.equal(found(made('AH_CACHE_LOCKED'), made('AH_CACHE_LOCKED', 'store/errors.ts')).length, 1, 'made twice')
  assert.equal(found(made('AH_CACHE_LOCKED'), made('AH_KIT_LOCKED')).length, 2, 'wrong prefix, not explained')
})

test('an option that only the code or only the README knows, or another default, is found', () => {
  const properties: Record<string, OptionShape> = {
    lockMs: { default: 10_000 },
    prefix: { default: 'actionhero:' },
    redis: {},
    local: { properties: { max: { default: 500 } } },
  }
  const rows = [
    '| `lockMs` | number | `10 000` |',
    "| `prefix` | string | `'actionhero:'` |",
    '| `redis` | client | app.redis |',
  ]
  const all = [...rows, '| `local` | object | |', '| `local.max` | number | 500 |']
  const found = (...lines: string[]) =>
    optionViolations('cache', properties, ['# cache', '## Options', ...lines].join('\n'))
  assert.deepEqual(found(...all), [])
  assert.deepEqual(found('| `--lock-ms <ms>` | `10 000` |', ...all.slice(1)), [], 'as a flag')
  assert.equal(found(...all.slice(0, -1)).length, 1, 'an inner option is missing')
  assert.equal(found(...all, '| `size` | number | 1 |').length, 1, 'one too many')
  assert.equal(found('| `lockMs` | number | `1000` |', ...all.slice(1)).length, 1, 'another default')
  assert.equal(found('| `lockMs` | number | `100 000` |', ...all.slice(1)).length, 1, 'a default that contains it')
  assert.equal(optionViolations('cache', properties, '# cache\n').length, 1, 'no table')
})

test('a table is read up to the next heading of its level', () => {
  const readme = '# a\n## Options\n| `a` | 1 |\n### more\n| `b` | x \\| y |\n## Errors\n| `c` | 3 |\n'
  assert.deepEqual(
    rowsBelow(readme, 'Options')?.map(({ name, cells }) => [name, ...cells]),
    [
      ['a', '1'],
      ['b', 'x \\| y'],
    ],
  )
  assert.equal(rowsBelow(readme, 'Guarantees'), undefined)
})
