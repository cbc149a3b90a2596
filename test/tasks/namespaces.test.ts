// Two namespaces on one Redis: they never meet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const redis = await startRedis({}, test)
const client = redis.client()

test('[8] apps with different namespaces see neither jobs nor workers, leaders, tracks or keys of each other', async (t) => {
  await client.flushall()
  const ran: string[] = []
  const open = (namespace: string) =>
    openTasks(
      {
        redis: redis.url,
        namespace,
        maxTaskProcessors: 2,
        scheduler: true,
        define: [
          {
            name: 'note',
            retry: { attempts: 2, backoffMs: 5 },
            run: ({ fails }: { fails?: boolean }) => {
              ran.push(namespace)
              if (fails) throw new Error('no')
            },
          },
          { name: 'often', frequencyMs: 100, run: () => undefined },
          { name: 'limited', concurrency: { max: 1 }, run: () => undefined },
        ] as never,
      },
      t,
    )
  const [a, b] = await Promise.all([open('alpha'), open('alpha-beta')])
  await a.enqueue('note', {}, { track: true, id: 'same', dedupe: { key: 'k', ttlMs: 60_000 } })
  await a.enqueue('note', { fails: true }, 'mine')
  await a.enqueueMany([1, 2, 3].map(() => ({ name: 'limited', options: { queue: 'mine' } })))
  await a.enqueueIn(60_000, 'note', { later: true })
  await until(async () => (await a.failedCount()) === 1)
  await until(async () => (await a.track('same'))?.state === 'succeeded')
  assert.deepEqual(new Set(ran), new Set(['alpha']))
  assert.equal(await b.track('same'), undefined)
  assert.deepEqual([await b.failedCount(), await b.timestamps(), (await b.queues()).includes('mine')], [0, [], false])
  assert.notDeepEqual(await a.workers(), await b.workers())
  await until(async () => (await b.details()).leader !== null)
  assert.notEqual((await a.details()).leader, (await b.details()).leader)
  const enqueued = await b.enqueue('note', {}, { dedupe: { key: 'k', ttlMs: 60_000 } })
  assert.ok(enqueued && enqueued.isDuplicate === undefined)
  await until(() => ran.includes('alpha-beta'))
  const all = await client.keys('*')
  assert.deepEqual(
    all.filter((key) => !key.startsWith('alpha:') && !key.startsWith('alpha-beta:')),
    [],
  )
})

test('[8] a namespace that is empty, has braces or spaces, or lies among keys of another is refused', async (t) => {
  for (const namespace of ['', '{a}', 'a b', 'a*', 'resque:queue', 'resque:ah']) {
    await assert.rejects(openTasks({ redis: redis.url, namespace }, t), { code: 'AH_TASKS_OPTIONS' }, namespace)
  }
})
