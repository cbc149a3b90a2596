// Reads that are overtaken by the word that their key has changed: a proxy holds back the answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cache } from 'fastify-ah-cache'
import { startProxy, startRedis, until } from 'fastify-ah-test-support'
import { ask, untilHeard, warm } from './local-reads.ts'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()

const valueKey = (name: string) => `actionhero:cache:${name}`
const write = (name: string, value: string) => client.set(valueKey(name), value)
const stored = (value: unknown) => JSON.stringify({ value, createdAt: 1 })

/** Has `change` happen and be heard: `witness` is in memory, and is changed after it. */
async function heard(cache: Cache, change: () => Promise<unknown>): Promise<void> {
  await change()
  await write('witness', stored('changed'))
  await until(() => cache.local!.entries === 0, { what: 'the change is heard', everyMs: 1 })
}

async function afterwards(): Promise<void> {
  // As long as it takes to keep what was read, and longer.
  for (let turn = 0; turn < 50; turn += 1) await nextTurn()
}

const changes = [
  ['a write', (key: string) => write(key, stored('new'))],
  ['a removal', (key: string) => client.unlink(valueKey(key))],
  ['a lock', (key: string) => client.set(`actionhero:lock:${key}`, 'somebody')],
  ['FLUSHALL', () => client.flushall()],
] as const

// The value comes with MGET; then its end is asked for, and only then is it kept.
for (const command of ['mget', 'pttl']) {
  for (const [name, change] of changes) {
    test(`[20] ${name} that is heard of before the answer to ${command}: what was read is not kept`, async (t) => {
      await client.flushall()
      const proxy = await startProxy({ target: redis }, t)
      const cache = await openCache({ redis: proxy.url, owner: 'me', local: { max: 100 } }, t)
      await cache.save('witness', 1)
      await write('k', stored('old'))
      // Or this would be what is heard of.
      await untilHeard(cache, write)
      await warm(cache, 'witness')

      const held = proxy.holdAnswer(([asked, key]) => asked?.toLowerCase() === command && key === valueKey('k'))
      let answered: unknown
      const reading = cache.get('k').then((value) => {
        answered = value
      })
      const release = await held
      await heard(cache, () => change('k'))
      // It holds what was true when it was asked for.
      assert.equal(answered, command === 'mget' ? undefined : 'old')
      release()
      await reading
      assert.equal(answered, 'old')

      await afterwards()
      assert.equal(cache.local!.entries, 0)
      if (name === 'a lock') await assert.rejects(cache.get('k'), { code: 'AH_CACHE_LOCKED' })
      else {
        const value = name === 'a write' ? 'new' : undefined
        assert.deepEqual(await ask(cache, 'k'), { value, from: 'Redis' })
        if (value !== undefined) assert.equal(await warm(cache, 'k'), value)
      }
    })
  }
}

test('[20] a read that was answered before a write of this process is not kept after it', async (t) => {
  const proxy = await startProxy({ target: redis }, t)
  const cache = await openCache({ redis: proxy.url, local: { max: 100 } }, t)
  await write('k', stored('old'))
  await untilHeard(cache, write)
  const held = proxy.holdAnswer(([asked, key]) => asked?.toLowerCase() === 'pttl' && key === valueKey('k'))
  assert.equal(await cache.get('k'), 'old')
  const release = await held
  const saved = cache.save('k', 'new')
  release()
  await saved
  assert.equal(await cache.get('k'), 'new')
  await afterwards()
  assert.equal(await warm(cache, 'k'), 'new')
})
