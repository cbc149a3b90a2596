// What the checker of options fills in, changes and leaves alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageOf, options } from './things-options.ts'

test('what is no plain object is no object of options', () => {
  class Settings {
    ttlMs = 5
  }
  assert.equal(messageOf(null), 'expected an object of options, got null')
  assert.equal(messageOf([]), 'expected an object of options, got a list')
  assert.equal(messageOf('x'), 'expected an object of options, got "x"')
  const settings = new Settings()
  assert.equal(messageOf(settings), 'expected a plain object, got an instance of Settings')
  assert.deepEqual(Object.keys(settings), ['ttlMs'])
  assert.equal(messageOf({ limits: new Map() }), 'option "limits": expected a plain object, got an instance of Map')
})

test('defaults fill what is not given, also inside, and undefined counts as not given', () => {
  const whole = { level: 'low', ttlMs: 10, limits: { perSecond: 20, burst: 40, inner: { deep: true } } }
  assert.deepEqual(options.parse({}), whole)
  assert.deepEqual(options.parse(undefined), whole)
  assert.deepEqual(options.parse({ ttlMs: undefined, limits: { burst: undefined }, host: undefined }), whole)
  assert.equal('host' in options.parse({ host: undefined }), false)
  assert.deepEqual(options.parse({ limits: { burst: 1 } }).limits, { perSecond: 20, burst: 1, inner: { deep: true } })
  assert.deepEqual(options.parse({ nodes: [{ host: 'a' }] }).nodes, [{ host: 'a', port: 6379 }])
})

test('the input is neither changed nor frozen', () => {
  const input = { limits: { inner: {} }, nodes: [{ host: 'a' }], queues: ['a'] }
  const before = structuredClone(input)
  options.parse(input)
  assert.deepEqual(input, before)
  for (const part of [input, input.limits, input.limits.inner, input.nodes, input.nodes[0], input.queues]) {
    assert.equal(Object.isFrozen(part), false)
  }
  options.parse(Object.freeze({ limits: Object.freeze({}) }))
})

test('the answer is frozen, and no later change of the input reaches it', () => {
  const input = { limits: { burst: 1 }, queues: ['a'], nodes: [{ host: 'a' }] }
  const parsed = options.parse(input)
  input.limits.burst = 2
  input.queues.push('b')
  input.nodes[0]!.host = 'b'
  assert.equal(parsed.limits.burst, 1)
  assert.deepEqual(parsed.queues, ['a'])
  assert.deepEqual(parsed.nodes, [{ host: 'a', port: 6379 }])
  for (const part of [parsed, parsed.limits, parsed.limits.inner, parsed.queues, parsed.nodes, parsed.nodes?.[0]]) {
    assert.ok(Object.isFrozen(part))
  }
})

test('two answers share no default', () => {
  assert.notEqual(options.parse({}).limits, options.parse({}).limits)
})

test('clients, functions, cycles and other exotic objects come by reference, unfrozen', () => {
  const cycle: Record<string, unknown> = { send: () => undefined }
  cycle['self'] = cycle
  const exotic = [cycle, new Map([[1, cycle]]), Buffer.from('x'), new Proxy({}, {}), Symbol('s'), new Date()]
  for (const any of exotic) {
    const parsed = options.parse({ any })
    assert.equal(parsed.any, any)
    if (typeof any === 'object') assert.equal(Object.isFrozen(any), false)
  }
  const onEvent = () => undefined
  const parsed = options.parse({ client: cycle, onEvent })
  assert.equal(parsed.client, cycle)
  assert.equal(parsed.onEvent, onEvent)
})

test('options without a prototype, such as a module namespace, are fine', () => {
  assert.equal(options.parse(Object.assign(Object.create(null), { ttlMs: 5 })).ttlMs, 5)
})
