// Owns what scripts may do to the store: nothing that outlasts them.
import assert from 'node:assert/strict'
import test from 'node:test'
import { scaled } from 'fastify-ah-test-support'
import { connect, openStore } from './stores.ts'

for (const [what, script, reason] of [
  [
    'needs more memory than there is',
    "local t = {} for i = 1, 1e9 do t[i] = string.rep('x', 1000000) .. i end",
    /broke/,
  ],
  ['makes a text of a gigabyte', "return #string.rep('x', 1000 * 1000 * 1000)", /broke/],
  ['calls itself without end', 'local function f() return 1 + f() end return f()', /stack overflow/],
  ['runs without end', 'while true do end', /Script killed by fuel limit/],
  ['has a pattern that is too much', "return string.find(string.rep('a', 30000), string.rep('a?', 30000))", /./],
] as const) {
  test(`a script that ${what} is an error, and the next one runs`, async (t) => {
    const client = connect(await openStore(t), t)
    await client.set('k', 'v')
    await assert.rejects(client.eval(script, 0), reason)
    assert.equal(await client.eval("return redis.call('GET', KEYS[1])", 1, 'k'), 'v')
    assert.equal(await client.get('k'), 'v')
  })
}

test('after a reply that is nested too deep scripts run as before', async (t) => {
  const client = connect(await openStore(t), t)
  const nested = 'local t = {} local c = t for i = 1, 100 do c[1] = {} c = c[1] end return t'
  assert.ok(Array.isArray(await client.eval(nested, 0)))
  for (let round = 0; round < 50; round++) {
    const script = `local t = {} for i = 1, 100 do t[i] = 'x' .. i end return t[${round + 1}]`
    assert.equal(await client.eval(script, 0), `x${round + 1}`)
  }
})

test('a script cannot see what another one left behind', async (t) => {
  const client = connect(await openStore(t), t)
  await assert.rejects(client.eval('left = 1', 0), /readonly table/)
  await assert.rejects(client.eval('return left', 0), /nonexistent global variable/)
})

test('many large arguments and replies of scripts leave no memory behind', async (t) => {
  const client = connect(await openStore(t), t)
  const megabyte = Buffer.alloc(1 << 20, 'x')
  const script = "redis.call('SET', KEYS[1], ARGV[1]) return #redis.call('GET', KEYS[1])"
  for (let round = 0; round < scaled(1000, 25); round++)
    assert.equal(await client.eval(script, 1, 'k', megabyte), 1 << 20)
})
