// Workers that hang, grow, or die too fast.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import type { ClusterStatus } from 'fastify-ah-cluster'
import { httpGet, isAlive, scaled, until } from 'fastify-ah-test-support'
import { startLoad } from './load.ts'
import { getJson, type RunningCluster, startCluster } from './running.ts'

test('[66] an endless loop in a worker: it is killed after hangMs and replaced, the others serve meanwhile', async (t) => {
  const cluster = await startCluster({ args: ['--hang-ms', '1000'] }, t)
  const before = cluster.workers()
  const lost = assert.rejects(httpGet(cluster.target, { path: '/block', timeoutMs: 30_000 }), { code: 'ECONNRESET' })
  await cluster.node.waitForLine(/^blocking$/)
  assert.equal((await httpGet(cluster.target)).status, 200)
  await lost
  await cluster.node.waitForLine(/worker does not answer any more and was killed/)
  await until(() => before.filter(isAlive).length === 1)
  await cluster.untilServing()
  assert.equal((await cluster.stop()).code, 0, 'it was not the stop that killed')
})

test('[64] a stopped worker holds its connections no longer than hangMs', async (t) => {
  const cluster = await startCluster({ args: ['--hang-ms', '1000'] }, t)
  const [pid] = cluster.workers()
  const load = startLoad(cluster.target, { clients: 16, isKeepAlive: true }, t)
  await until(() => load.pids.has(pid!) && load.answered > 200)
  process.kill(pid!, 'SIGSTOP')
  await until(() => !isAlive(pid!))
  const after = load.answered
  await until(() => load.answered > after + 500)
  await load.stop()
  // Those that it had in hand are cut, none is left without an end.
  for (const { code, lastPid } of load.failures)
    assert.deepEqual({ code, lastPid }, { code: 'ECONNRESET', lastPid: pid })
  assert.ok(load.failures.length > 0 && load.failures.length <= load.clients, 'at most one request of each client')
})

test('a primary that was stopped itself finds nobody guilty of its own silence', async (t) => {
  const cluster = await startCluster({ args: ['--hang-ms', '1000'] }, t)
  const before = cluster.workers()
  await until(async () => (await statusOf(cluster)).workers.every(({ vitals }) => vitals !== undefined))
  process.kill(cluster.pid, 'SIGSTOP')
  // How long is the subject: three times what a worker may be silent.
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  process.kill(cluster.pid, 'SIGCONT')
  const { uptimeMs } = await statusOf(cluster)
  await until(async () => (await statusOf(cluster)).uptimeMs > uptimeMs + 2_000)
  assert.deepEqual(cluster.workers(), before)
})

test('a worker larger than maxRssMb is replaced in order, without a lost request', async (t) => {
  const cluster = await startCluster({ workers: 1, args: ['--max-rss-mb', '20'] }, t)
  const before = cluster.workers()
  const load = startLoad(cluster.target, { clients: 4, isKeepAlive: true }, t)
  await cluster.node.waitForLine(/worker is too large and will be replaced/, 30_000)
  await cluster.untilServing({ not: before })
  await until(() => !before.some(isAlive))
  await load.stop()
  assert.deepEqual(load.failures, [])
  const { workers } = await statusOf(cluster)
  assert.equal(workers.length, 1)
  assert.ok(workers[0]!.uptimeMs < 10_000, 'as large, but not replaced before it has served a while')
})

test('[66] workers that die faster than they can serve are flapping, in status and log; --exit-on-flap ends it', async (t) => {
  const patient = await startCluster({}, t)
  await killUntil(patient, async () => (await statusOf(patient)).isFlapping)
  assert.match((await patient.ask('status')).stdout, /FLAPPING/)
  assert.equal((await httpGet(patient.target)).status, 200)
  const strict = await startCluster({ args: ['--exit-on-flap'] }, t)
  let hasEnded = false
  void strict.node.exited.then(() => {
    hasEnded = true
  })
  await killUntil(strict, async () => hasEnded)
  assert.equal((await strict.node.exited).code, 1)
  assert.match(strict.node.stderr(), /workers die faster than they can serve: the cluster ends.*AH_CLUSTER_FLAPPING/)
})

test('[70] over many reloads the primary grows neither in memory nor in descriptors', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const reload = async (times: number) => {
    for (let time = 0; time < times; time += 1) assert.equal((await cluster.ask('reload')).code, 0)
  }
  const descriptors = () => readdirSync(`/proc/${cluster.pid}/fd`).length
  const anonymousMb = () =>
    Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${cluster.pid}/status`, 'utf8'))![1]) / 1024
  await reload(5)
  const before = { descriptors: descriptors(), mb: anonymousMb() }
  await reload(scaled(100, 8))
  await until(() => descriptors() <= before.descriptors, { what: 'no descriptor is left over' })
  const grown = anonymousMb() - before.mb
  t.diagnostic(`${grown.toFixed(1)} MB more`)
  assert.ok(grown < 20, `${grown} MB`)
  assert.doesNotMatch(cluster.node.stderr(), /MaxListenersExceeded/)
})

test('status tells pid, role, release, state, memory, load, connections and requests of each worker', async (t) => {
  const cluster = await startCluster({ workers: 1, env: { ACTIONHERO_ROLE: 'web' } }, t)
  for (let asked = 0; asked < 5; asked += 1) await httpGet(cluster.target)
  const { workers } = await until(async () => {
    const status = await getJson<ClusterStatus>(cluster.target, '/status')
    return (status.workers[0]?.vitals?.requests ?? 0) >= 5 && status
  })
  const { vitals, ...facts } = workers[0]!
  assert.deepEqual(
    { ...facts, uptimeMs: 0 },
    {
      id: 1,
      role: 'web',
      pid: cluster.workers()[0],
      state: 'started',
      generation: 1,
      uptimeMs: 0,
      restarts: 0,
    },
  )
  assert.ok(vitals!.rssMb > 20 && vitals!.utilization >= 0 && vitals!.utilization <= 1)
})

async function statusOf(cluster: RunningCluster): Promise<ClusterStatus> {
  return JSON.parse((await cluster.ask('status', '--json')).stdout) as ClusterStatus
}

async function killUntil(cluster: RunningCluster, isDone: () => Promise<boolean>): Promise<void> {
  await until(
    async () => {
      if (await isDone()) return true
      for (const pid of cluster.workers()) process.kill(pid, 'SIGKILL')
      return false
    },
    { deadlineMs: 30_000 },
  )
}
