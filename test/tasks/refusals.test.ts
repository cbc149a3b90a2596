// A Redis that refuses: it cannot save to its disk, or it is still loading. The loops go on, and nothing is lost or done twice.
import assert from 'node:assert/strict'
import { mkdir, rmdir } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const leaseMs = 900
const backMs = 8_000

/** Two processors with one job of ours in hand each, which `letGo` ends, and what has run. */
async function busyPair(redis: RedisServer, scope: TestScope) {
  let letGo = (): void => undefined
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const ran: unknown[] = []
  const endings: string[] = []
  const define = [
    {
      name: 'hold',
      run: (n: number) => {
        ran.push(n)
        return held
      },
    },
    { name: 'note', run: (n: unknown) => void ran.push(n) },
    { name: 'often', frequencyMs: 250, queue: 'often', run: () => undefined },
  ] as never
  const options = { redis: redis.url, leaseMs, scheduler: true, define }
  const pair = []
  for (const n of [1, 2]) {
    const tasks = await openTasks(
      { ...options, minTaskProcessors: 2, maxTaskProcessors: 2, queues: [`q${n}`, '*'] },
      scope,
    )
    for (const name of ['success', 'failure', 'lost', 'released'] as const) {
      tasks.on(name, ({ task }) => task === 'often' || endings.push(name))
    }
    await tasks.enqueue('hold', n, `q${n}`)
    await until(() => ran.includes(n))
    pair.push(tasks)
  }
  return { tasks: pair[0]!, letGo, ran, endings }
}

describe('a Redis that refuses', { concurrency: true, timeout: 60_000 }, () => {
  test('[6] MISCONF for longer than a lease: an enqueue is refused, what runs is recorded later, once, and nobody is declared dead', async (t) => {
    const redis = await startRedis({ config: { save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' } }, t)
    const { tasks, letGo, ran, endings } = await busyPair(redis, t)
    const status = async (): Promise<string> => String(await redis.command('INFO', 'persistence'))
    await tasks.enqueue('note', 'planned', { delayMs: 400, id: 'planned' })
    // A folder where the file should come.
    await mkdir(`${redis.dir}/dump.rdb`)
    await redis.command('BGSAVE')
    await until(async () => (await status()).includes('rdb_last_bgsave_status:err'))
    await assert.rejects(tasks.enqueue('note', 'refused'), { code: 'AH_KIT_REDIS_REFUSED', message: /MISCONF/ })
    letGo()
    // Time is the subject: nobody can renew a lease for two of them.
    await sleep(2 * leaseMs)
    assert.deepEqual([endings, ran], [[], [1, 2]])
    await rmdir(`${redis.dir}/dump.rdb`)
    await redis.command('BGSAVE')
    await until(async () => (await status()).includes('rdb_last_bgsave_status:ok'))

    await until(() => endings.length >= 3 && ran.includes('planned'), { deadlineMs: backMs })
    await tasks.enqueue('note', 'after')
    await until(() => ran.includes('after'), { deadlineMs: backMs })
    await until(() => endings.length === 4)
    assert.deepEqual(ran.slice(0, 2), [1, 2])
    assert.deepEqual([...ran].sort(), [1, 2, 'after', 'planned'])
    assert.deepEqual(endings, ['success', 'success', 'success', 'success'])
    const often = Number((await tasks.stats())['processed'])
    await until(async () => Number((await tasks.stats())['processed']) > often + 1, { deadlineMs: backMs })
    assert.equal(await tasks.failedCount(), 0)
  })

  test('[6] LOADING: what is asked meanwhile waits, the loops go on, nothing runs twice', async (t) => {
    const redis = await startRedis({ appendfsyncAlways: true, config: { 'key-load-delay': '0' } }, t)
    const { tasks, letGo, ran, endings } = await busyPair(redis, t)
    const batch = redis.client().pipeline()
    for (let n = 0; n < 2_000; n += 1) batch.set(`key-${n}`, 'x')
    await batch.exec()
    await tasks.enqueue('note', 'planned', { delayMs: 400, id: 'planned' })
    await redis.command('CONFIG', 'SET', 'key-load-delay', '1000')
    await redis.command('CONFIG', 'REWRITE')
    await redis.stop()
    // `restart` itself waits until it answers, so this runs beside it.
    const restarted = redis.restart()
    let refusals = 0
    await until(
      () =>
        redis.command('PING').then(
          () => true,
          (error: Error) => {
            if (error.message.includes('LOADING')) refusals += 1
            return refusals > 0
          },
        ),
      { deadlineMs: backMs },
    )
    assert.ok(refusals > 0, 'it was loading')
    const asked = tasks.enqueue('note', 'asked')
    letGo()
    await restarted
    assert.deepEqual(await asked, { queue: 'default' })
    await until(() => endings.length === 4, { deadlineMs: backMs })
    assert.deepEqual([...ran].sort(), [1, 2, 'asked', 'planned'])
    assert.deepEqual(endings, ['success', 'success', 'success', 'success'])
    const often = Number((await tasks.stats())['processed'])
    await until(async () => Number((await tasks.stats())['processed']) > often + 1, { deadlineMs: backMs })
    assert.equal(await tasks.failedCount(), 0)
  })
})
