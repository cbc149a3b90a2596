// What the checker says of wrong options.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import createError from '@fastify/error'
import { defineOptions } from 'fastify-ah-kit'
import { messageOf } from './things-options.ts'

test('an unknown option is named, with the one that was meant', () => {
  assert.equal(messageOf({ hots: 'h' }), 'unknown option "hots", did you mean "host"?')
  assert.equal(messageOf({ TTLMS: 1 }), 'unknown option "TTLMS", did you mean "ttlMs"?')
  assert.equal(messageOf({ limits: { busrt: 1 } }), 'unknown option "limits.busrt", did you mean "burst"?')
  assert.equal(messageOf({ limits: { inner: { wide: 1 } } }), 'unknown option "limits.inner.wide"; there are: deep')
})

test('an unknown option that is like no other lists what there is', () => {
  assert.equal(
    messageOf({ frobnicate: 1 }),
    'unknown option "frobnicate"; there are: client, host, level, ttlMs, limits, queues, nodes, token, onEvent, any',
  )
})

test('names that every object has are unknown options like others', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const input = JSON.parse(`{ "${name}": 1 }`)
    assert.match(messageOf(input), new RegExp(`^unknown option "${name}"`))
    assert.match(messageOf({ limits: input }), new RegExp(`^unknown option "limits.${name}"`))
  }
  const hidden = JSON.parse('{ "__proto__": { "ttlMs": 5 } }')
  assert.match(messageOf(hidden), /^unknown option "__proto__"/)
  assert.equal(({} as { ttlMs?: number }).ttlMs, undefined)
})

test('an old name is answered with the new one, or with what to do', () => {
  assert.equal(messageOf({ lockDuration: 5 }), 'option "lockDuration" is now called "ttlMs"')
  assert.equal(messageOf({ cookieKey: 'x' }), 'option "cookieKey" is gone: use the option "token"')
})

test('a wrong type is told with what was got', () => {
  const cases: [unknown, string][] = [
    ['x', 'got "x"'],
    [1.5, 'got 1.5'],
    [Number.NaN, 'got NaN'],
    [Number.POSITIVE_INFINITY, 'got Infinity'],
    [null, 'got null'],
    [true, 'got true'],
    [7n, 'got 7n'],
    [Symbol('s'), 'got Symbol(s)'],
    [() => 1, 'got a function'],
    [[1], 'got a list'],
    [{ a: 1 }, 'got an object'],
    [Object.create(null), 'got an object'],
    [new Map(), 'got an instance of Map'],
    ['y'.repeat(500), `got "${'y'.repeat(100)}"…`],
  ]
  for (const [value, got] of cases) {
    assert.equal(messageOf({ ttlMs: value }), `option "ttlMs": expected integer, ${got}`)
  }
})

test('bounds, enums, patterns and lengths are told in words', () => {
  assert.equal(messageOf({ ttlMs: 0 }), 'option "ttlMs": expected a value >= 1, got 0')
  assert.equal(messageOf({ ttlMs: 1001 }), 'option "ttlMs": expected a value <= 1000, got 1001')
  assert.equal(messageOf({ limits: { perSecond: 0 } }), 'option "limits.perSecond": expected a value > 0, got 0')
  assert.equal(messageOf({ level: 'mid' }), 'option "level": expected one of "low", "high", got "mid"')
  assert.equal(messageOf({ host: 'other' }), 'option "host": expected a text like ^h, got "other"')
  assert.equal(messageOf({ host: 'h23456' }), 'option "host": expected at most 5 characters, got "h23456"')
  assert.equal(messageOf({ queues: [] }), 'option "queues": expected a list that is not empty, got a list')
  assert.equal(messageOf({ queues: ['a', 'b', 'c'] }), 'option "queues": expected at most 2 items, got a list')
  assert.equal(messageOf({ queues: ['a', 1] }), 'option "queues.1": expected string, got 1')
  assert.equal(messageOf({ nodes: [{}] }), 'option "nodes.0.host" is required')
  assert.match(messageOf({ host: '' }), /option "host": expected a text that is not empty, got ""/)
})

test('a pattern is told in the words of its option, where it has some', () => {
  const title = { description: 'a title', type: 'string', pattern: '^[^/]+$', expected: 'a name without a "/"' }
  const { parse } = defineOptions({ package: 'fastify-ah-things', properties: { title } })
  assert.throws(() => parse({ title: 'a/b' }), /option "title": expected a name without a "\/", got "a\/b"/)
})

test('what JSON schema cannot say is told by its predicate', () => {
  assert.equal(messageOf({ client: {} }), 'option "client": expected a client with a method send, got an object')
  assert.equal(messageOf({ client: null }), 'option "client": expected a client with a method send, got null')
  assert.equal(messageOf({ onEvent: 'x' }), 'option "onEvent": expected a function, got "x"')
})

test('a secret is in no message', () => {
  assert.equal(
    messageOf({ token: 'hunter2' }),
    'option "token": expected at least 32 characters, got a string (not shown)',
  )
  assert.equal(messageOf({ token: 4711 }), 'option "token": expected string, got a number (not shown)')
})

test('all that is wrong is told at once', () => {
  const message = messageOf({ ttlMs: 'x', hots: 'h', level: 'mid', limits: { burst: 0.5, inner: { deep: 1 } } })
  for (const part of ['"ttlMs"', '"hots"', '"level"', '"limits.burst"', '"limits.inner.deep"']) {
    assert.ok(message.includes(part), `${part} in ${message}`)
  }
  assert.equal(message.split('; ').length, 5, message)
})

test('a missing required option is named', () => {
  const strict = defineOptions<{ id: string }>({
    package: 'p',
    properties: { id: { description: 'an id', type: 'string' } },
    required: ['id'],
  })
  assert.throws(() => strict.parse({}), /p: option "id" is required/)
  assert.throws(() => strict.parse({ id: undefined }), /p: option "id" is required/)
})

test('a package throws its own error', () => {
  const AH_THINGS_OPTIONS = createError('AH_THINGS_OPTIONS', '%s', 500)
  const own = defineOptions<object>({ package: 'fastify-ah-things', error: AH_THINGS_OPTIONS, properties: {} })
  assert.throws(() => own.parse({ 'x %s %d': 1 }), {
    code: 'AH_THINGS_OPTIONS',
    message: /^fastify-ah-things: unknown option "x %s %d"/,
  })
})
