// A process with the local tier that is stopped for a while, and one that ends while Redis is away.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, spawnNode, startRedis, until } from 'fastify-ah-test-support'

const stored = (value: unknown) => JSON.stringify({ value, createdAt: 1 })

async function startApp(redis: RedisServer, t: TestContext) {
  const spawned = spawnNode(new URL('./programs/local-app.js', import.meta.url), { args: [redis.url], ipc: true }, t)
  await once(spawned.child, 'message')
  const answer = async () => (await once(spawned.child, 'message'))[0] as { value: unknown; isFromMemory: boolean }
  const read = () => {
    const said = answer()
    spawned.child.send('read')
    return said
  }
  return { spawned, read, answer }
}

test('[20] a process that was stopped and goes on answers nothing that changed meanwhile', async (t) => {
  const redis = await startRedis({}, t)
  const client = redis.client()
  const { spawned, read, answer } = await startApp(redis, t)
  for (let round = 0; round < 3; round += 1) {
    await client.set('actionhero:cache:k', stored(`old ${round}`))
    await until(async () => {
      const { value, isFromMemory } = await read()
      return isFromMemory && value === `old ${round}`
    })
    spawned.kill('SIGSTOP')
    await client.set('actionhero:cache:k', stored(`new ${round}`))
    // Longer than what was heard before may be trusted.
    await sleep(1_100)
    // The question waits in a socket beside the word of the change, and may be the first that is looked at.
    const said = answer()
    spawned.child.send('read')
    spawned.kill('SIGCONT')
    assert.deepEqual((await said).value, `new ${round}`)
  }
})

for (const fault of ['alive', 'killed', 'frozen'] as const) {
  test(`[20] an app whose Redis is ${fault} closes, and nothing of the tier keeps its process alive`, async (t) => {
    const redis = await startRedis({}, t)
    await redis.command('SET', 'actionhero:cache:k', stored(1))
    const { spawned, read } = await startApp(redis, t)
    await until(async () => (await read()).isFromMemory)
    if (fault === 'killed') await redis.kill()
    if (fault === 'frozen') redis.pause()
    const begun = performance.now()
    spawned.child.send('close')
    const { code } = await spawned.exited
    assert.equal(code, 0)
    assert.ok(performance.now() - begun < 8_000, `it took ${Math.round(performance.now() - begun)} ms`)
    if (fault === 'frozen') redis.resume()
  })
}
