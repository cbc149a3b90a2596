// Another release: a symlink that is moved, variables that change.
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { freePort, spawnNode, tempDir } from 'fastify-ah-test-support'
import { command, getJson, startCluster } from './running.ts'

test('[71] PROJECT_ROOT moved to another release, variables changed in their file: new workers run the new ones', async (t) => {
  const dir = tempDir(t).path
  for (const release of ['1', '2']) {
    mkdirSync(join(dir, 'releases', release), { recursive: true })
    const app = `export default async (app) => { app.get('/', async () => ({ release: '${release}', cwd: process.cwd(), color: process.env.RELEASE_COLOR })) }`
    writeFileSync(join(dir, 'releases', release, 'app.mjs'), app)
  }
  const current = join(dir, 'current')
  symlinkSync(join(dir, 'releases', '1'), current)
  const variables = join(dir, 'variables')
  writeFileSync(variables, 'RELEASE_COLOR=red\n')
  const port = await freePort()
  const pids = join(dir, 'pids')
  const where = ['--host', '127.0.0.1', '--port', String(port), '--pids', pids, '--env-file', variables]
  const args = ['start', 'cluster', '-w', '2', '--no-embedded', ...where]
  const node = spawnNode(command, { args, env: { PROJECT_ROOT: current } }, t)
  await node.waitForLine(/equilibrium/, 30_000)
  assert.deepEqual(await getJson({ port }, '/'), { release: '1', cwd: join(dir, 'releases', '1'), color: 'red' })
  symlinkSync(join(dir, 'releases', '2'), `${current}.new`)
  renameSync(`${current}.new`, current)
  writeFileSync(variables, 'RELEASE_COLOR=blue\n')
  assert.equal((await getJson({ port }, '/'))['release'], '1', 'the running workers are not touched')
  const reload = spawnNode(command, { args: ['reload', '--pids', pids] }, t)
  assert.equal((await reload.exited).code, 0, reload.stderr())
  assert.deepEqual(await getJson({ port }, '/'), { release: '2', cwd: join(dir, 'releases', '2'), color: 'blue' })
  node.kill('SIGTERM')
  assert.deepEqual(await node.exited, { code: 0, signal: null })
})

test('[71] a release whose app file is gone is given up; the old workers serve on', async (t) => {
  const dir = tempDir(t).path
  const app = join(dir, 'app.mjs')
  writeFileSync(app, `export default async (app) => { app.get('/', async () => ({})) }`)
  const cluster = await startCluster({ app, workers: 1 }, t)
  const before = cluster.workers()
  renameSync(app, `${app}.gone`)
  const { code, stderr } = await cluster.ask('reload')
  assert.equal(code, 1)
  assert.match(stderr, /there is no app file \S+app\.mjs/)
  assert.deepEqual(cluster.workers(), before)
  assert.deepEqual(await getJson(cluster.target, '/'), {})
})
