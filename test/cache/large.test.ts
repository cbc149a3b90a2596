// Many keys: gone through in batches, so that Redis is never held up by one call.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scaled, startRedis } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

test('[18] a million keys are counted and cleared, no command touching more than 1000', async (t) => {
  const redis = await startRedis({}, t)
  const cache = await openCache({ redis: redis.url }, t)
  const count = scaled(1_000_000)
  const fill = `for index = 1, ${count} do redis.call('SET', 'actionhero:cache:' .. index, '{"value":1,"createdAt":1}') end`
  await redis.client().eval(fill, 0)
  assert.equal(await cache.size(), count)

  const watcher = await redis.client().monitor()
  let longest = 0
  let widest = 0
  let calls = 0
  watcher.on('monitor', (_time: string, [command, ...args]: string[]) => {
    if (command?.toLowerCase() === 'unlink') longest = Math.max(longest, args.length)
    if (command?.toLowerCase() === 'scan') widest = Math.max(widest, Number(args[args.indexOf('count') + 1]))
    calls += 1
  })
  assert.equal(
    await cache.clear('1'),
    Array.from({ length: count }, (_, index) => String(index + 1)).filter((name) => name.startsWith('1')).length,
  )
  await cache.clear()
  assert.equal(await cache.size(), 0)
  watcher.disconnect()
  assert.ok(calls > 10 && longest > 0 && longest <= 1_000, `UNLINK of ${longest}`)
  assert.ok(widest > 0 && widest <= 1_000, `SCAN of ${widest}`)
})

test('large values that are read in one tick are not put into one reply, once it is known that they are large', async (t) => {
  const redis = await startRedis({}, t)
  const cache = await openCache({ redis: redis.url }, t)
  const names = Array.from({ length: 32 }, (_, index) => `large ${index}`)
  await Promise.all(names.map((name) => cache.save(name, name.padEnd(1024 * 1024, '.'))))
  const readAll = async () => {
    await redis.command('CONFIG', 'RESETSTAT')
    const values = await Promise.all(names.map((name) => cache.get<string>(name)))
    for (const [index, value] of values.entries()) assert.ok(value?.startsWith(`${names[index]}.`))
    const [, calls] = /cmdstat_mget:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats'))) ?? []
    return Number(calls)
  }
  // The first of them, since nothing is under way, leaves before the others.
  assert.ok((await readAll()) <= 2)
  await readAll()
  const calls = await readAll()
  assert.ok(calls >= 8 && calls <= 32, `${calls} MGETs for 32 values of 1 MB`)
  await Promise.all(names.map((name) => cache.save(name, `${name}.`)))
  for (let round = 0; round < 15; round += 1) await readAll()
  assert.equal(await readAll(), 1, 'and again when they are small')
})
