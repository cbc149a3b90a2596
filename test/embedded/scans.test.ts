// Owns the promise of SCAN: what is there from the first page to the last is answered.
import assert from 'node:assert/strict'
import test from 'node:test'
import { random, scaled } from 'fastify-ah-test-support'
import type { Redis } from 'ioredis'
import { connect, openStore } from './stores.ts'

/** All pages of a scan; `between` runs after each. */
async function scanned(client: Redis, between: (keys: string[]) => Promise<unknown>): Promise<string[]> {
  const found: string[] = []
  let cursor = '0'
  do {
    const [next, keys] = await client.scan(cursor, 'COUNT', 100)
    found.push(...keys)
    await between(keys)
    cursor = next
  } while (cursor !== '0')
  return found
}

async function fill(client: Redis, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => `key:${index}`)
  await Promise.all(keys.map((key) => client.set(key, 1)))
  return keys
}

test('a scan that deletes what it finds finds everything', async (t) => {
  const client = connect(await openStore(t), t)
  const keys = await fill(client, scaled(50_000, 5000))
  const found = await scanned(client, async (page) => page.length > 0 && client.unlink(...page))
  assert.deepEqual(found.toSorted(), keys.toSorted())
  assert.equal(await client.dbsize(), 0)
})

test('a scan finds each key that stays while others come and go', async (t) => {
  const client = connect(await openStore(t), t)
  const keys = await fill(client, 2000)
  const staying = new Set(keys.filter((_, index) => index % 2 === 0))
  const found = await scanned(client, async () => {
    const number = Math.floor(random() * 2000)
    if (!staying.has(`key:${number}`)) await client.del(`key:${number}`)
    await client.set(`new:${number}`, 1, 'PX', 1)
  })
  assert.deepEqual(
    [...staying].filter((key) => !found.includes(key)),
    [],
  )
})

test('a page of a scan holds about as many keys as were asked for', async (t) => {
  const client = connect(await openStore(t), t)
  const count = scaled(50_000, 5000)
  await fill(client, count)
  const sizes: number[] = []
  await scanned(client, async ({ length }) => sizes.push(length))
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    count,
  )
  assert.ok(Math.max(...sizes) < 1000, `a page of ${Math.max(...sizes)}`)
  assert.ok(sizes.length > count / 1000)
})

test('a scan knows what was renamed, moved, overwritten, ended and flushed', async (t) => {
  const client = connect(await openStore(t), t)
  await client.mset('a', 1, 'b', 1, 'c', 1, 'd', 1)
  await client.rename('a', 'renamed')
  await client.move('b', 1)
  await client.del('c')
  await client.rpush('c', 'x')
  await client.pexpire('d', 1)
  await client.rpush('emptied', 'x')
  await client.lpop('emptied')
  const listed = async () => (await client.scan(0, 'COUNT', 1000))[1].toSorted()
  const isOver = async () => (await client.pttl('d')) === -2
  while (!(await isOver())) assert.ok((await client.pttl('d')) <= 1)
  assert.deepEqual(await listed(), ['c', 'renamed'])
  await client.select(1)
  assert.deepEqual(await listed(), ['b'])
  await client.flushall()
  assert.deepEqual(await listed(), [])
})

test('HSCAN, SSCAN and ZSCAN that remove what they find find everything', async (t) => {
  const client = connect(await openStore(t), t)
  const names = Array.from({ length: 1000 }, (_, index) => `m${index}`)
  await client.hset('h', Object.fromEntries(names.map((name) => [name, 1])))
  await client.sadd('s', ...names)
  await client.zadd('z', ...names.flatMap((name) => [1, name]))
  for (const [command, key, remove] of [
    ['hscan', 'h', (items: string[]) => client.hdel('h', ...items)],
    ['sscan', 's', (items: string[]) => client.srem('s', ...items)],
    ['zscan', 'z', (items: string[]) => client.zrem('z', ...items)],
  ] as const) {
    let cursor = '0'
    do {
      const [next, items] = (await client.call(command, key, cursor, 'COUNT', '100')) as [string, string[]]
      if (items.length > 0) await remove(items)
      cursor = next
    } while (cursor !== '0')
    assert.equal(await client.exists(key), 0, command)
  }
})
