// Workers that die while they boot: tried again, or given up, and never in a hurry.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { isAlive, tempDir, until } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { getJson, spawnCluster, startCluster } from './running.ts'

test('a worker that is killed from outside while it boots for the first time is tried again', async (t) => {
  const marker = join(tempDir(t).path, 'killed')
  const file = appFile(t, {
    'app.mjs': `import { existsSync, writeFileSync } from 'node:fs'
if (!existsSync('${marker}')) {
  writeFileSync('${marker}', '')
  process.kill(process.pid, 'SIGKILL')
}
export default async (app) => {
  app.get('/', async () => ({ pid: process.pid }))
}
`,
  })
  const cluster = await spawnCluster({ app: file, workers: 1 }, t)
  await cluster.untilServing()
  const always = appFile(t, { 'app.mjs': `process.kill(process.pid, 'SIGKILL')\n` })
  const second = await spawnCluster({ app: always, workers: 2 }, t)
  assert.deepEqual(await second.node.exited, { code: 1, signal: null })
  assert.match(second.node.stderr(), /its process was ended by SIGKILL \(out of memory\?\)/)
  assert.equal(second.log().filter(({ msg }) => msg === 'worker starts').length, 3)
})

test('[68] a SIGTERM that reaches a worker in its first boot before the primary is an orderly stop', async (t) => {
  const cluster = await spawnCluster({ app: 'slow-boot', workers: 1 }, t)
  await cluster.node.waitForLine(/worker starts/)
  const [booting] = await until(() => {
    const pids = cluster.node.descendants()
    return pids.length > 0 && pids
  })
  // It can be told once it listens to signals; before that the signal itself ends it, which is as good.
  process.kill(booting!, 'SIGTERM')
  await until(() => !isAlive(booting!))
  await until(() => cluster.log().filter(({ msg }) => msg === 'worker starts').length === 2)
  cluster.node.kill('SIGTERM')
  assert.deepEqual(await cluster.node.exited, { code: 0, signal: null })
})

test('[66] once it has served, a release that cannot boot any more is tried less and less often, while the others serve', async (t) => {
  const file = appFile(t, {
    'app.mjs': `import { existsSync } from 'node:fs'
if (existsSync(new URL('broken', import.meta.url))) throw new Error('cannot boot any more')
export default async (app) => {
  app.get('/', async () => ({ pid: process.pid }))
}
`,
  })
  const cluster = await startCluster({ app: file, workers: 2 }, t)
  const [victim, survivor] = cluster.workers()
  writeFileSync(join(dirname(file), 'broken'), '')
  process.kill(victim!, 'SIGKILL')
  const attempts = () => cluster.log().filter(({ msg }) => msg === 'worker died: cannot boot any more')
  await until(() => attempts().length >= 5, { deadlineMs: 60_000 })
  // Each waits at least twice as long as the one before: 100, 200, 400 ms and so on after each death.
  const starts = cluster
    .log()
    .filter(({ msg }) => msg === 'worker starts')
    .map(({ time }) => Number(time))
  const waits = attempts().map(({ time }) => Math.min(...starts.filter((at) => at >= Number(time))) - Number(time))
  for (const [index, wait] of waits.slice(0, 4).entries()) assert.ok(wait >= 100 * 2 ** index - 5, `${waits}`)
  assert.deepEqual(await getJson(cluster.target, '/'), { pid: survivor })
  const { stack } = attempts()[0]!['err'] as { stack: string }
  assert.match(stack, /app\.mjs:2/)
  writeFileSync(file, `export default async (app) => {\n  app.get('/', async () => ({ pid: process.pid }))\n}\n`)
  await cluster.untilServing({ not: [victim!] })
})

test('an app that closes itself again and again is not forked without pause', async (t) => {
  const file = appFile(t, {
    'app.mjs': `export default async (app) => {\n  app.addHook('onListen', () => setImmediate(() => void app.close()))\n}\n`,
  })
  const cluster = await spawnCluster({ app: file, workers: 1 }, t)
  const times = () =>
    cluster
      .log()
      .filter(({ msg }) => msg === 'worker starts')
      .map(({ time }) => Number(time))
  await until(() => times().length >= 6, { deadlineMs: 60_000 })
  const stopped = cluster
    .log()
    .filter(({ msg }) => msg === 'worker stopped')
    .map(({ time }) => Number(time))
  // Three ends a seat are free; from the fourth on each waits longer.
  assert.ok(times()[4]! - stopped[3]! >= 95, `${times()} ${stopped}`)
  assert.ok(times()[5]! - stopped[4]! >= 195, `${times()} ${stopped}`)
})
