// A cluster that a program starts by itself.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { type CrashedWorker, startCluster } from 'fastify-ah-cluster/manager'
import { atEnd, freePort, httpGet, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { command, fixture, getJson } from './running.ts'

const QUIET = { logLevel: 'silent', host: '127.0.0.1', embedded: false } as const

test('startCluster answers a handle with the verbs of the command, and tells what happens', async (t) => {
  const port = await freePort()
  const crashes: [string, CrashedWorker][] = []
  const cluster = await startCluster({
    ...QUIET,
    app: fixture('app'),
    port,
    roles: 'web=2',
    pids: tempDir(t).path,
    env: { ...process.env, NODE_ENV: 'test' },
    onCrash: (error, worker) => crashes.push([error.message, worker]),
  })
  atEnd(t, () => cluster.kill().then(() => undefined))
  const heard: string[] = []
  for (const event of ['equilibrium', 'reload', 'stop'] as const) cluster.on(event, () => heard.push(event))
  assert.equal((await httpGet({ port })).status, 200)
  assert.equal(cluster.status().address, `http://127.0.0.1:${port}`)
  assert.deepEqual(await cluster.reload(), { generation: 2 })
  assert.equal(cluster.scale(3), 3)
  await until(() => cluster.status().workers.filter(({ state }) => state === 'started').length === 3)
  assert.throws(() => cluster.scale(-1), { code: 'AH_CLUSTER_OPTIONS' })
  assert.throws(() => cluster.scale(1, 'wbe'), /there is no role "wbe"; there are: web/)
  // Answered or not: the worker dies of it.
  await Promise.allSettled([httpGet({ port }, { path: '/throw' })])
  await until(() => crashes.length > 0)
  const [[message, worker]] = crashes as [[string, CrashedWorker]]
  assert.equal(message, 'thrown where nobody catches')
  assert.deepEqual([worker.role, worker.generation, worker.code], ['web', 2, 1])
  assert.deepEqual(await cluster.stop(), { isGraceful: true, error: undefined })
  assert.deepEqual([...new Set(heard)], ['reload', 'equilibrium', 'stop'])
  assert.throws(() => cluster.scale(1), { code: 'AH_CLUSTER_NOT_RUNNING' })
  await assert.rejects(cluster.reload(), /the reload was given up: the cluster stops/)
})

test('startCluster throws what the command would print, and leaves nothing behind', async (t) => {
  const port = await freePort()
  const pids = tempDir(t).path
  const file = join(tempDir(t).path, 'release')
  const options = { ...QUIET, app: fixture('release'), port, pids, env: { ...process.env, RELEASE_FILE: file } }
  writeFileSync(file, 'throw')
  await assert.rejects(startCluster(options), { code: 'AH_CLUSTER_APP_FAILED', message: /does not start/ })
  writeFileSync(file, 'one')
  const cluster = await startCluster(options)
  atEnd(t, () => cluster.kill().then(() => undefined))
  await assert.rejects(startCluster(options), { code: 'AH_CLUSTER_PID_FILE' })
  await assert.rejects(startCluster({ ...options, pids: tempDir(t).path, bindWaitMs: 0 }), {
    code: 'AH_CLUSTER_ADDRESS_IN_USE',
  })
  await assert.rejects(startCluster({ ...options, wrokers: 2 } as object), /unknown option "wrokers"/)
  await assert.rejects(startCluster({ ...options, daemon: true } as object), /"daemon" belongs to the command/)
  await assert.rejects(startCluster({ ...options, workers: 2, roles: 'web=2' }), /either workers or roles, not both/)
  assert.equal((await getJson({ port }, '/'))['release'], 'one', 'the first one serves on')
  assert.equal((await cluster.stop()).isGraceful, true)
})

test('[70] garbage in the channel of a worker does not end the program that started the cluster', async (t) => {
  const port = await freePort()
  const file = join(import.meta.dirname, 'programs/own-primary.js')
  const program = spawnNode(
    file,
    { args: [fixture('app'), String(port), tempDir(t).path], unhandledErrors: 'counted' },
    t,
  )
  const [, umask] = await program.waitForLine(/^serves, umask (\d+)$/, 30_000)
  assert.equal(Number.parseInt(umask!, 8), process.umask(), 'as it was')
  await httpGet({ port }, { path: '/garble' })
  await program.waitForLine(/a message from a worker is not ours and is ignored/)
  assert.equal((await httpGet({ port })).status, 200)
  program.kill('SIGTERM')
  assert.deepEqual(await program.exited, { code: 0, signal: null })
})

test('onCrash of a config file is told of each crash; what it throws changes nothing', async (t) => {
  const root = tempDir(t).path
  const port = await freePort()
  const config = `export default { onCrash(error, worker) { console.log('hook: ' + error.message + ' ' + worker.id); throw new Error('bad hook') } }`
  writeFileSync(join(root, 'fastify-ah.config.mjs'), config)
  const args = [
    'start',
    'cluster',
    fixture('app'),
    '-w',
    '1',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--no-embedded',
  ]
  const node = spawnNode(command, { args, cwd: root, unhandledErrors: 'counted' }, t)
  await node.waitForLine(/equilibrium/, 30_000)
  await Promise.allSettled([httpGet({ port }, { path: '/throw' })])
  await node.waitForLine(/^hook: thrown where nobody catches 1$/)
  await node.waitForLine(/onCrash failed/)
  await until(async () => (await httpGet({ port })).status === 200)
  node.kill('SIGTERM')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
})
