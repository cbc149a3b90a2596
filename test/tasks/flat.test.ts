// Nothing grows: neither this process nor Redis, over very many jobs and over processors that are idle, closed and dead.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { scaled, spawnNode, startRedis, until } from 'fastify-ah-test-support'
import { type OpenOptions, openApp } from './open-tasks.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const redis = await startRedis({}, test)
const client = redis.client()

const define = [
  { name: 'plain', run: () => undefined },
  { name: 'fails', run: () => Promise.reject(new Error('always')) },
  {
    name: 'again',
    retry: { attempts: 2, backoffMs: 5 },
    run: (_: unknown, { attempt }: { attempt: number }) => (attempt < 2 ? Promise.reject(new Error('once more')) : 0),
  },
  { name: 'limited', concurrency: { max: 2 }, run: () => undefined },
  { name: 'hold', run: () => undefined },
]
const options: OpenOptions = {
  redis: redis.url,
  scheduler: true,
  minTaskProcessors: 20,
  maxTaskProcessors: 20,
  leaseMs: 600,
  queues: ['default'],
  maxFailed: 50,
  trackMs: 50,
  define,
}

/** Keys that do not end by themselves, without the tokens of idle processors, which come and go. */
async function lasting(): Promise<string[]> {
  const keys = (await client.keys('*')).filter((key) => !key.includes(':ah:wake'))
  const ends = await Promise.all(keys.map((key) => client.pttl(key)))
  for (const [index, ms] of ends.entries()) assert.ok(ms <= 600_000, `${keys[index]} ends in ${ms} ms`)
  // -1: never. One that has just ended (-2) is no key any more.
  return keys.filter((_, index) => ends[index] === -1).sort()
}

test('keys and memory stay what they are, over many jobs, closed processors and dead ones', {
  timeout: 600_000,
}, async (t) => {
  const app = await openApp(options, t)
  const { tasks } = app
  let sent = 0
  const settled = async (): Promise<boolean> => {
    const stats = await tasks.stats()
    return Number(stats['processed'] ?? 0) + Number(stats['failed'] ?? 0) === sent
  }
  const work = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 1_000) {
      const items = Array.from({ length: Math.min(left, 1_000) }, (_, n) => {
        if (n % 20 === 0) return { name: 'fails' }
        if (n % 20 === 1) return { name: 'again' }
        if (n % 20 === 2) return { name: 'limited' }
        if (n % 20 === 3) return { name: 'plain', options: { track: true } }
        if (n % 20 === 4) return { name: 'plain', options: { delayMs: 5, id: `planned ${sent + n}` } }
        if (n % 20 === 5) return { name: 'plain', options: { dedupe: { key: `key ${sent + n}`, ttlMs: 50 } } }
        return { name: 'plain' }
      })
      await tasks.enqueueMany(items)
      sent += items.length
      await until(settled, { deadlineMs: 60_000 })
    }
    // Tracks and dedupe keys are kept for 50 ms; Redis takes them away when it looks.
    const short = async () =>
      (await Promise.all(['track', 'dedupe'].map((name) => client.keys(`resque:ah:${name}:*`)))).flat()
    await until(async () => (await short()).length === 0)
  }
  const measured = async () => {
    collect()
    const memory = String(await client.info('memory'))
    const data = Number(/used_memory_dataset:(\d+)/.exec(memory)?.[1])
    return { heap: process.memoryUsage().heapUsed, data, keys: await lasting() }
  }
  const count = scaled(1_000_000, 50_000)
  await work(count / 5)
  const before = await measured()
  await work(count - count / 5)
  const after = await measured()
  assert.deepEqual(after.keys, before.keys)
  // Forty bytes a job would be 1.6 MB at the least scale; what is compiled meanwhile is a tenth of that.
  assert.ok(after.heap - before.heap < 1.5e6, `the heap grew from ${before.heap} to ${after.heap}`)
  assert.ok(after.data - before.data < 0.5e6, `Redis' data grew from ${before.data} to ${after.data}`)

  for (let n = 0; n < 4; n += 1) {
    const closed = await openApp(options, t)
    sent += 1
    await closed.tasks.enqueue('plain', {}, { track: true })
    await until(settled)
    await closed.close()
  }
  assert.deepEqual(await lasting(), before.keys, 'closed processors left nothing')

  const program = new URL('./programs/many-processors.js', import.meta.url)
  const many = 8
  const doomed = spawnNode(program, { args: [redis.url, String(many)], ipc: true }, t)
  await once(doomed.child, 'message')
  assert.equal(await client.zcard('resque:ah:processors'), many + 1)
  doomed.kill('SIGKILL')
  await doomed.exited
  sent += many
  const heir = await openApp({ ...options, queues: ['*'] }, t)
  await until(settled, { deadlineMs: 30_000 })
  await heir.close()
  await until(async () => (await client.zcard('resque:ah:processors')) === 1)
  for (let n = 0; n < many; n += 1) await tasks.delQueue(`held-${n}`)
  assert.deepEqual(await lasting(), before.keys, 'dead processors left nothing')
  const own = ['resque:ah:registrations', 'resque:ah:processors', 'resque:workers']
  assert.deepEqual([await client.hlen(own[0]!), await client.zcard(own[1]!), await client.scard(own[2]!)], [1, 1, 1])
})
