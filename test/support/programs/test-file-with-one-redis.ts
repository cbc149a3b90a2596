// A test file whose tests share one Redis; prints its pid.
import assert from 'node:assert/strict'
import test from 'node:test'
import { startRedis } from '../index.ts'

const redis = await startRedis({}, test)
console.log(`redis ${redis.pid}`)

test('one writes', async () => {
  assert.equal(await redis.command('SET', 'key', 'value'), 'OK')
})

test('the other reads', async () => {
  assert.equal(await redis.client().get('key'), 'value')
})
