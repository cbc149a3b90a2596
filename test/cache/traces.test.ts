// The tracing channels: who subscribes hears of each call, and nobody else pays for it.
import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import type { CacheTrace } from 'fastify-ah-cache'
import { startRedis } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)

test('each call is told with its key, its result or its error', async (t) => {
  const cache = (await openCache({ redis: redis.url }, t)).namespace('n').withOwner('me')
  const heard: [verb: string, event: string, trace: CacheTrace][] = []
  const verbs = [
    'get',
    'load',
    'save',
    'destroy',
    'increment',
    'push',
    'pop',
    'lock',
    'with-lock',
    'get-or-set',
    'produce',
  ]
  for (const verb of verbs) {
    const listen = (event: string) => (trace: unknown) => void heard.push([verb, event, trace as CacheTrace])
    const listeners = {
      start: listen('start'),
      end: () => undefined,
      asyncStart: () => undefined,
      asyncEnd: listen('asyncEnd'),
      error: listen('error'),
    }
    const channel = tracingChannel(`fastify-ah-cache:${verb}`)
    channel.subscribe(listeners)
    t.after(() => channel.unsubscribe(listeners))
  }
  const told = (verb: string, event: string) =>
    heard.filter((one) => one[0] === verb && one[1] === event).map((one) => one[2])

  await cache.save('k', 1)
  assert.equal(await cache.get('k'), 1)
  await cache.load('k')
  await cache.increment('k')
  await cache.destroy('k')
  await assert.rejects(cache.load('k'), { code: 'AH_CACHE_NOT_FOUND' })
  await cache.push('l', 1)
  await cache.pop('l')
  await cache.lock('k')
  await cache.withLock('w', {}, () => 'done')
  await cache.getOrSet('p', {}, () => 'made')
  await assert.rejects(cache.get(7 as never), { code: 'AH_CACHE_KEY' })

  for (const verb of verbs) {
    assert.ok(told(verb, 'start').length > 0, verb)
    assert.equal(told(verb, 'start').length, told(verb, 'asyncEnd').length, verb)
  }
  const [saved] = told('save', 'asyncEnd')
  assert.deepEqual([saved!.key, saved!.owner, saved!.result], ['n:k', 'me', true])
  assert.equal(told('get', 'asyncEnd')[0]!.result, 1)
  assert.equal(told('get-or-set', 'asyncEnd')[0]!.result, 'made')
  assert.equal(told('produce', 'asyncEnd')[0]!.key, 'n:p')
  assert.equal((told('load', 'error')[0]!.error as { code?: string }).code, 'AH_CACHE_NOT_FOUND')
  assert.equal(told('get', 'error')[0]!.key, 7)
})
