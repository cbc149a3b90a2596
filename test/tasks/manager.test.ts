// The real manager: a worker of a cluster is killed in the middle of its jobs.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { freePort, spawnNode, startRedis, tempDir, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const require = createRequire(import.meta.url)
/** The file that npm links as `fastify-ah`. */
const command = join(dirname(require.resolve('fastify-ah/package.json')), 'bin/fastify-ah.js')

interface Place {
  readonly pid: number
  readonly recovered: boolean
}

test('[29] under the manager a job whose worker is killed runs again within 1 s, elsewhere, once', {
  timeout: 60_000,
}, async (t) => {
  const redis = await startRedis({}, t)
  const client = redis.client()
  const define = [{ name: 'hold', run: () => undefined }]
  const tasks = await openTasks({ redis: redis.url, define }, t)
  const app = join(import.meta.dirname, 'fixtures/held-app.js')
  const where = ['--host', '127.0.0.1', '--port', String(await freePort()), '--pids', tempDir(t).path]
  const args = ['start', 'cluster', app, '--workers', '2', '--no-embedded', ...where]
  const cluster = spawnNode(command, { args, env: { HELD_REDIS: redis.url } }, t)
  await until(async () => Object.keys(await tasks.workers()).length === 2, { deadlineMs: 30_000 })
  const pids = Object.keys(await tasks.workers()).map((name) => Number(/~ah:(\d+)-/.exec(name)?.[1]))

  // Three jobs on two workers with room for two each: one has one, or two.
  const ids = ['a', 'b', 'c']
  for (const id of ids) await tasks.enqueue('hold', {}, { id, track: true })
  const places = async (): Promise<Map<string, Place>> => {
    const found = await Promise.all(ids.map(async (id) => [id, (await tasks.track(id))?.progress as Place] as const))
    return new Map(found.filter(([, place]) => place !== undefined))
  }
  await until(async () => (await places()).size === ids.length)
  const before = await places()
  // The one that has two: the other has room.
  const heldBy = (pid: number) => [...before.values()].filter((place) => place.pid === pid).length
  const victim = pids.toSorted((a, b) => heldBy(b) - heldBy(a))[0] as number
  const lost = ids.filter((id) => before.get(id)?.pid === victim)
  assert.ok(pids.includes(victim) && lost.length > 0)

  process.kill(victim, 'SIGKILL')
  const killedAt = performance.now()
  // Its jobs are suspects, which run one to a process: the first of them at once.
  const again = await until(
    async () => {
      const now = await places()
      const found = lost.filter((id) => now.get(id)?.recovered)
      return found.length > 0 && found.map((id) => now.get(id)?.pid)
    },
    { deadlineMs: 1_000, what: 'a job of the killed worker runs again' },
  )
  assert.ok(performance.now() - killedAt < 1_500)
  // The survivor, or the replacement, if that one is up so soon.
  assert.ok(again.every((pid) => pid !== undefined && pid !== victim))
  for (const id of lost) assert.ok(await tasks.waitFor(id, { timeoutMs: 10_000 }))
  await until(async () => (await tasks.stats())['processed'] === String(lost.length))
  assert.equal(await tasks.failedCount(), 0)
  // What the survivor had went on where it was.
  const after = await places()
  for (const id of ids) if (!lost.includes(id)) assert.deepEqual(after.get(id), before.get(id))
  // The dead one is off all lists, its replacement is on them.
  await until(async () => {
    const names = Object.keys(await tasks.workers())
    return names.length === 2 && !names.some((name) => name.includes(`~ah:${victim}-`))
  })
  assert.equal(await client.zcard('resque:ah:processors'), 2)

  cluster.kill('SIGTERM')
  assert.deepEqual(await cluster.exited, { code: 0, signal: null })
})
