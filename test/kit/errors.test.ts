// How thrown values become errors, and how a mistyped name finds the one that was meant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import createError from '@fastify/error'
import { nearest, toError } from 'fastify-ah-kit'

const throws = () => {
  throw new Error('no')
}

test('[36] whatever is thrown becomes an error with a readable text and itself as the cause', () => {
  const cases: [thrown: unknown, text: RegExp][] = [
    [undefined, /^thrown: undefined$/],
    [null, /^thrown: null$/],
    [0, /^thrown: 0$/],
    [Number.NaN, /^thrown: NaN$/],
    ['', /^thrown: ''$/],
    ['a text', /^a text$/],
    [5n, /^thrown: 5n$/],
    [Symbol('s'), /^thrown: Symbol\(s\)$/],
    [{ code: 7 }, /^thrown: \{ code: 7 \}$/],
    [[1, 2], /^thrown: \[ 1, 2 \]$/],
    [Object.create(null), /^thrown: \[Object: null prototype\] \{\}$/],
    [{ toString: throws, toJSON: throws }, /^thrown: \{ toString/],
    [
      {
        get secret() {
          return throws()
        },
      },
      /^thrown: \{ secret: \[Getter\] \}$/,
    ],
    [runInNewContext('new Error("from another realm")'), /from another realm/],
  ]
  for (const [thrown, text] of cases) {
    const error = toError(thrown)
    assert.ok(error instanceof Error)
    assert.match(error.message, text)
    assert.equal(error.cause, thrown)
  }
})

test('[36] cycles, giants and objects that resist being looked at end in an error too', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  assert.match(toError(cycle).message, /Circular/)
  assert.ok(toError({ text: 'x'.repeat(10_000_000) }).message.length < 10_000)
  assert.ok(toError(Array.from({ length: 1_000_000 }, (_, i) => i)).message.length < 10_000)
  const hostile = new Proxy({}, { getPrototypeOf: throws, get: throws, ownKeys: throws })
  assert.equal(toError(hostile).message, 'thrown: a value that cannot be looked at')
  assert.equal(toError(Object.create(hostile)).message, 'thrown: a value that cannot be looked at')
})

test('[36] errors pass as they are, frozen ones and those whose toString throws too', () => {
  const AH_X = createError('AH_X', 'x')
  const resisting = new Error('its toString throws')
  resisting.toString = throws
  for (const error of [new TypeError('t'), Object.freeze(new Error('frozen')), resisting, new AH_X()]) {
    assert.equal(toError(error), error)
  }
})

test('the nearest name is at most a third of its letters away, whatever the case', () => {
  const known = ['prefix', 'redis', 'lockMs', 'decorator']
  assert.equal(nearest('prefxi', known), 'prefix')
  assert.equal(nearest('redsi', known), 'redis')
  assert.equal(nearest('PREFIX', known), 'prefix')
  assert.equal(nearest('lockms', known), 'lockMs')
  assert.equal(nearest('decoratr', known), 'decorator')
  assert.equal(nearest('something', known), undefined)
  assert.equal(nearest('', known), undefined)
  assert.equal(nearest('rediss', []), undefined)
  assert.equal(nearest('ab', ['abcd', 'abc']), 'abc')
})

test('a name of a megabyte is compared in no time', () => {
  const known = Array.from({ length: 100 }, (_, i) => `option-${i}-${'x'.repeat(i)}`)
  assert.equal(nearest('x'.repeat(1_000_000), known), undefined)
})
