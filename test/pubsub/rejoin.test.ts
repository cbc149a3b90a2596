// A node that is held to be dead and lives.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lifecycleOf } from 'fastify-ah-kit'
import { scaled, startRedis, until } from 'fastify-ah-test-support'
import { openApp, openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)

test('a node that is said to be dead and lives shows so at once, and is back for everybody', async (t) => {
  const options = { redis: redis.url, leaseMs: 9_000 }
  const app = await openApp(options, t)
  const [other, alive] = [await openPubSub(options, t), await openPubSub(options, t)]
  const witnesses = [app.pubsub, other]
  for (const witness of witnesses) await until(async () => (await witness.nodes()).length === 3)
  const told = witnesses.map((witness) => {
    const news: string[] = []
    witness.on('nodeLeft', ({ id }) => news.push(`left ${id}`))
    witness.on('nodeJoined', ({ id }) => news.push(`joined ${id}`))
    return news
  })
  for (let round = 0; round < scaled(30, 5); round += 1) {
    for (const news of told) news.length = 0
    lifecycleOf(app).announcePeerDeath({ bootId: alive.id, pid: 1, cause: 'crashed' })
    // Else a sign of life would bring it back by itself, seconds later.
    await until(() => told.every((news) => news.length >= 2 && news.at(-1) === `joined ${alive.id}`), {
      deadlineMs: 1_000,
      what: `round ${round}: gone, and back`,
    })
    for (const news of told) assert.equal(news[0], `left ${alive.id}`)
    for (const witness of witnesses) assert.equal((await witness.nodes()).length, 3)
  }
})
