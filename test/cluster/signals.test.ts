// The signals of ActionHero's cluster, and the commands that say the same.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import type { ClusterStatus } from 'fastify-ah-cluster'
import { httpGet, isAlive, processTree, random, scaled, until } from 'fastify-ah-test-support'
import { startLoad } from './load.ts'
import { type RunningCluster, spawnCluster, startCluster } from './running.ts'

test('[68] USR2 reloads, one worker after the other, without a lost request', async (t) => {
  const cluster = await startCluster({}, t)
  const before = cluster.workers()
  const load = startLoad(cluster.target, { clients: 8, isKeepAlive: true }, t)
  cluster.node.kill('SIGUSR2')
  await cluster.node.waitForLine(/reload done: 2 workers of generation 2/)
  await load.stop()
  assert.deepEqual(load.failures, [])
  assert.equal((await cluster.untilServing({ not: before })).length, 2)
})

test('[68] HUP restarts all workers at once; connections made meanwhile wait and are answered', async (t) => {
  const cluster = await startCluster({}, t)
  const before = cluster.workers()
  cluster.node.kill('SIGHUP')
  await cluster.node.waitForLine(/the cluster restarts: 2 workers to drain at once/)
  const answers = Array.from({ length: 20 }, () => httpGet(cluster.target))
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
  await cluster.untilServing({ not: before })
  await until(() => before.filter(isAlive).length === 0)
  // All had gone before the first new one served.
  const order = cluster.log().flatMap(({ msg }) => (/^worker (drains|started)$/.test(msg) ? [msg] : []))
  assert.deepEqual(order.slice(2), ['worker drains', 'worker drains', 'worker started', 'worker started'])
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

test('[68] TTIN ten times, TTOU down to none and back: as many workers as were asked for', async (t) => {
  const cluster = await startCluster({ workers: 2 }, t)
  for (let more = 1; more <= 10; more += 1) {
    cluster.node.kill('SIGTTIN')
    await untilWanted(cluster, 2 + more)
  }
  await untilServing(cluster, 12)
  for (let less = 11; less >= 0; less -= 1) {
    cluster.node.kill('SIGTTOU')
    await untilWanted(cluster, less)
  }
  await untilServing(cluster, 0)
  // One less than none is none; heard before the next signal, which the kernel might deliver first.
  const told = () => cluster.log().filter(({ msg }) => msg === 'the cluster shall have 0 workers').length
  cluster.node.kill('SIGTTOU')
  await until(() => told() === 2)
  const waiting = httpGet(cluster.target, { timeoutMs: 30_000 })
  cluster.node.kill('SIGTTIN')
  assert.equal((await waiting).status, 200, 'it waited for a worker')
  await untilServing(cluster, 1)
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

test('[68] the number of workers changes during a reload, and during a stop', async (t) => {
  const cluster = await startCluster({ workers: 3 }, t)
  cluster.node.kill('SIGUSR2')
  await cluster.node.waitForLine(/the cluster reloads/)
  cluster.node.kill('SIGTTIN')
  cluster.node.kill('SIGTTOU')
  await untilWanted(cluster, 3)
  cluster.node.kill('SIGTTOU')
  await cluster.node.waitForLine(/reload done: 2 workers of generation 2/, 30_000)
  await untilServing(cluster, 2)
  const all = processTree(cluster.pid)
  cluster.node.kill('SIGTERM')
  cluster.node.kill('SIGTTIN')
  cluster.node.kill('SIGUSR2')
  cluster.node.kill('SIGHUP')
  assert.deepEqual(await cluster.node.exited, { code: 0, signal: null })
  assert.deepEqual(all.filter(isAlive), [])
})

test('scale takes a number, a change and a role; reload, stop and status say what became of them', async (t) => {
  const cluster = await startCluster({ args: ['--roles', 'web=1,worker=2'], workers: 3 }, t)
  assert.match((await cluster.ask('scale', '2')).stdout, /^workers wanted: 2\n$/)
  assert.match((await cluster.ask('scale', '-1', 'worker')).stdout, /^workers wanted of role worker: 1\n$/)
  await untilServing(cluster, 3)
  const status = await statusOf(cluster)
  assert.deepEqual(
    status.workers.map(({ id, role }) => [id, role]),
    [
      [1, 'web'],
      [2, 'worker'],
      [4, 'web'],
    ],
  )
  const unknown = await cluster.ask('scale', '2', 'wroker')
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /there is no role "wroker"; there are: web, worker/)
  const table = await cluster.ask('status')
  assert.match(table.stdout, /primary \d+, generation 1, up \d+ s, http:\S+, 3 of 3 workers serve/)
  assert.match(table.stdout, /^2 +\d+ +worker +1 +started /m)
  const stop = await cluster.ask('stop')
  assert.deepEqual([stop.code, stop.stdout.split('\n').at(-2)], [0, 'stopped'])
  assert.deepEqual(await cluster.node.exited, { code: 0, signal: null })
  for (const verb of ['reload', 'stop', 'status', 'scale 1']) {
    const asked = await cluster.ask(...verb.split(' '))
    assert.equal(asked.code, 3, verb)
    assert.match(
      asked.stderr,
      /^fastify-ah: no cluster runs here: there is no \S+cluster_pidfile \(--pids names another/,
    )
  }
})

test('workers of the role "worker" take no connections, and do not stop a cluster from stopping', async (t) => {
  const cluster = await startCluster({ args: ['--roles', 'worker=1,web=1'], workers: 2 }, t)
  for (let asked = 0; asked < 10; asked += 1) {
    const who = JSON.parse((await httpGet(cluster.target, { path: '/who' })).body) as { cluster: { role: string } }
    assert.equal(who.cluster.role, 'web')
  }
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
  const background = await startCluster({ args: ['--roles', 'worker=2'], workers: 2 }, t)
  await assert.rejects(httpGet(background.target), { code: 'ECONNREFUSED' })
  assert.equal((await background.ask('reload')).code, 0)
  assert.equal((await statusOf(background)).address, undefined)
  assert.deepEqual(await background.stop(), { code: 0, signal: null })
})

async function statusOf(cluster: RunningCluster): Promise<ClusterStatus> {
  return JSON.parse((await cluster.ask('status', '--json')).stdout) as ClusterStatus
}

/** Signals of one kind that come at once are one signal: each is waited for. */
async function untilWanted(cluster: RunningCluster, count: number): Promise<void> {
  const text = `the cluster shall have ${count} worker${count === 1 ? '' : 's'}`
  await until(() => cluster.log().findLast(({ msg }) => msg.startsWith('the cluster shall have'))?.msg === text)
}

async function untilServing(cluster: RunningCluster, count: number): Promise<void> {
  await until(
    async () => {
      const { workers } = await statusOf(cluster)
      return workers.length === count && workers.every(({ state }) => state === 'started')
    },
    { deadlineMs: 60_000 },
  )
}

test('[68] signals in any order, twice, while it boots and serves: one end, with nothing left', async (t) => {
  const signals = ['SIGUSR2', 'SIGTTIN', 'SIGTTOU', 'SIGHUP', 'SIGWINCH', 'SIGCONT'] as const
  for (let round = 0; round < scaled(40, 4); round += 1) {
    const cluster = await spawnCluster({ args: ['--drain-ms', '500'] }, t)
    // In every other round it is still booting.
    if (round % 2 === 0) await cluster.untilServing()
    else await cluster.node.waitForLine(/worker starts/)
    const sent = Array.from({ length: 12 }, () => signals[Math.floor(random() * signals.length)]!)
    for (const signal of sent) {
      cluster.node.kill(signal)
      // How far apart they come is the subject, too.
      await new Promise((resolve) => setTimeout(resolve, 100 * random()))
    }
    const end = random() < 0.5 ? (['SIGTERM', 'SIGINT'] as const) : (['SIGINT', 'SIGTERM'] as const)
    for (const signal of end) cluster.node.kill(signal)
    assert.deepEqual(await cluster.node.exited, { code: 0, signal: null }, `${sent.join(' ')}, then ${end.join(' ')}`)
    assert.deepEqual(cluster.node.descendants(), [])
    assert.deepEqual(readdirSync(cluster.pids), [])
    assert.equal(cluster.log().filter(({ msg }) => msg.startsWith('the cluster stops')).length, 1)
  }
})
