// A Redis that does not answer: what waits for what on one key.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cache } from 'fastify-ah-cache'
import { startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

interface Told {
  readonly verb: string
  readonly code: string | undefined
  readonly afterMs: number
}

async function told(verb: string, call: () => Promise<unknown>): Promise<Told> {
  const from = performance.now()
  const code = await call().then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
  return { verb, code, afterMs: Math.round(performance.now() - from) }
}

/** Each waits for the answers to those before it. */
function mixture(cache: Cache): Promise<Told>[] {
  return [
    told('increment', () => cache.increment('k')),
    told('get', () => cache.get('k')),
    told('increment', () => cache.increment('k')),
    told('save', () => cache.save('k', 1, { tags: ['t'] })),
    told('destroy', () => cache.destroy('k')),
    told('save', () => cache.save('k', 1)),
    told('destroy', () => cache.destroy('k')),
    told('push', () => cache.push('list', 1)),
    told('pop', () => cache.pop('list')),
    told('listLength', () => cache.listLength('list')),
    told('lock', () => cache.lock('list')),
    told('unlock', () => cache.unlock('list')),
  ]
}

test('[2] a black hole: calls that wait for each other are each told within 5 s, and none piles up', async (t) => {
  const redis = await startRedis({}, t)
  const proxy = await startProxy({ target: redis }, t)
  const cache = await openCache({ redis: proxy.url }, t)
  await Promise.all(mixture(cache))
  proxy.swallow()
  const calls: Promise<Told>[] = []
  for (let round = 0; round < 8; round += 1) {
    calls.push(...mixture(cache))
    await sleep(500) // The load goes on while nothing is answered.
  }
  for (const { verb, code, afterMs } of await Promise.all(calls)) {
    assert.match(String(code), /^AH_KIT_REDIS_(DOWN|TIMEOUT|UNCERTAIN)$/, verb)
    // 5 s, and what a busy machine adds; those who add up their times take 10 at least.
    assert.ok(afterMs < 8_000, `${verb} was told ${code} after ${afterMs} ms`)
  }
  proxy.pass()
  await until(async () => (await Promise.all(mixture(cache))).every(({ code }) => code === undefined))
  await cache.destroy('k')
  assert.deepEqual(await Promise.all([cache.increment('k'), cache.get('k'), cache.increment('k')]), [1, 1, 2])
})
