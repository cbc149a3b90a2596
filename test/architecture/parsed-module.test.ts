// The parser finds every way to import, and nothing that only looks like one.
import assert from 'node:assert/strict'
import test from 'node:test'
import { parseModule } from './parsed-module.ts'

const importsOf = (text: string) =>
  parseModule('a.ts', text).imports.map(({ kind, specifier }) => `${kind} ${specifier}`)

test('every way to mention a module is found, with its kind', () => {
  assert.deepEqual(importsOf(`import a, { b } from './a.ts'`), ['static ./a.ts'])
  assert.deepEqual(importsOf(`import "./a.ts"`), ['static ./a.ts'])
  assert.deepEqual(importsOf(`import {\n  a,\n} /* from './b.ts' */ from './a.ts'`), ['static ./a.ts'])
  assert.deepEqual(importsOf(`import * as a from './a.ts'; import b from './b.ts'`), ['static ./a.ts', 'static ./b.ts'])
  assert.deepEqual(importsOf(`import type { A } from './a.ts'`), ['type ./a.ts'])
  assert.deepEqual(importsOf(`import { type A, type B } from './a.ts'`), ['type ./a.ts'])
  assert.deepEqual(importsOf(`import { type A, b } from './a.ts'`), ['static ./a.ts'])
  assert.deepEqual(importsOf(`export { a } from './a.ts'`), ['static ./a.ts'])
  assert.deepEqual(importsOf(`export type { A } from './a.ts'`), ['type ./a.ts'])
  assert.deepEqual(importsOf(`export * from './a.ts'`), ['static ./a.ts'])
  assert.deepEqual(importsOf(`type A = import('./a.ts').A`), ['type ./a.ts'])
  assert.deepEqual(importsOf(`declare module 'x' { interface B { a: import('./a.ts').A } }`), ['type ./a.ts'])
  assert.deepEqual(importsOf(`async function f() { await import('./a.ts') }`), ['dynamic ./a.ts'])
  assert.deepEqual(importsOf('const a = import(`./a.ts`)'), ['dynamic ./a.ts'])
  assert.deepEqual(importsOf(`const a = import(\`./\${name}.ts\`)`), ['dynamic undefined'])
  assert.deepEqual(importsOf(`const a = require('./a.ts')`), ['dynamic ./a.ts'])
  assert.deepEqual(importsOf(`import a = require('./a.ts')`), ['static ./a.ts'])
})

test('comments, strings, templates and expressions that look like imports are none', () => {
  assert.deepEqual(importsOf(`// import a from './a.ts'`), [])
  assert.deepEqual(importsOf(`/* import('./a.ts') */ const a = "import b from './b.ts'"`), [])
  assert.deepEqual(importsOf(`const lua = \`import a from "./a.ts"; \${1} require("./b.ts")\``), [])
  assert.deepEqual(importsOf(`const a = x.require('./a.ts'); const p = /import '.\\/a.ts'/`), [])
  assert.deepEqual(importsOf(`export const a = 1; export { a as b }; import.meta.url`), [])
})

test('every way to read the environment counts', () => {
  const reads = (text: string) => parseModule('a.ts', text).environmentReads
  assert.equal(reads(`const a = process.env.A`), 1)
  assert.equal(reads(`const a = process['env']`), 1)
  assert.equal(reads(`const a = globalThis.process.env`), 1)
  assert.equal(reads(`const { env } = process`), 1)
  assert.equal(reads(`const { env: { A } } = process`), 1)
  assert.equal(reads(`import { env } from 'node:process'`), 1)
  assert.equal(reads(`import { env as e } from 'process'`), 1)
  assert.equal(reads(`import process from 'node:process'; const { A, B } = process.env`), 1)
  assert.equal(reads(`const a = options.env; const b = process.argv; import { pid } from 'node:process'`), 0)
  assert.equal(reads(`// process.env\nconst a = 'process.env'; spawn('x', { env: {} })`), 0)
})

test('an error code counts where it is the first argument of a call, not where it is compared or mentioned', () => {
  const codes = (text: string) => parseModule('a.ts', text).createdCodes
  assert.deepEqual(codes(`export const A = createError('AH_CACHE_LOCKED', '%s is locked', 423)`), ['AH_CACHE_LOCKED'])
  assert.deepEqual(codes(`if (error.code === 'AH_CACHE_LOCKED') throw new Error('see AH_CACHE_LOCKED')`), [])
  assert.deepEqual(codes(`const key = keyOf('AH_lower')`), [])
})

test('a module that is no valid code is an error, not a module without imports', () => {
  assert.throws(() => parseModule('a.ts', `import { from './a.ts'`), /a\.ts cannot be parsed/)
})
