// A release on trial: what fails in one role, in a later worker, or while the cluster boots or shrinks.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { ClusterStatus } from 'fastify-ah-cluster'
import { isAlive, tempDir, until } from 'fastify-ah-test-support'
import { getJson, type RunningCluster, spawnCluster, startCluster } from './running.ts'

test('[62] a release that fails in one role only is given up; what serves goes on, and later reloads have their turn', async (t) => {
  const { cluster, release } = await released(t, { workers: 2, args: ['--roles', 'web=1,worker=1'] })
  release('throw in worker')
  const { code, stderr } = await cluster.ask('reload')
  assert.equal(code, 1)
  assert.match(stderr, /this release does not start/)
  assert.equal((await getJson(cluster.target, '/'))['release'], 'throw in worker', 'the web role runs it')
  assert.deepEqual(
    (await statusOf(cluster)).workers.map(({ role, generation, state }) => [role, generation, state]),
    [
      ['web', 2, 'started'],
      ['worker', 1, 'started'],
    ],
  )
  release('three')
  assert.equal((await cluster.ask('reload')).code, 0)
  assert.ok((await statusOf(cluster)).workers.every(({ generation }) => generation === 3))
})

test('[62] a release whose later workers cannot start is given up after three in a row', async (t) => {
  const { cluster, release } = await released(t, { workers: 2 })
  release('throw in 2')
  const { code, stderr } = await cluster.ask('reload')
  assert.equal(code, 1)
  assert.match(stderr, /this release does not start/)
  const { workers } = await statusOf(cluster)
  assert.deepEqual(
    workers.map(({ generation }) => generation),
    [2, 1],
  )
  assert.ok(workers.every(({ state }) => state === 'started'))
})

test('a start that fails in one role or in a later worker ends with its error, and does not wait for ever', async (t) => {
  for (const [text, args] of [
    ['throw in worker', ['--roles', 'web=1,worker=1']],
    ['throw in 2', ['--workers', '3']],
  ] as const) {
    const cluster = await spawned(t, text, [...args])
    assert.deepEqual(await cluster.node.exited, { code: 1, signal: null })
    assert.match(cluster.node.stderr(), /this release does not start/)
    assert.deepEqual(cluster.node.descendants(), [])
  }
})

test('[62] a reload while the cluster boots waits for its turn; a bad release then changes nothing', async (t) => {
  const { cluster, release } = await releasedLater(t, 'slow one')
  await cluster.node.waitForLine(/worker starts/)
  cluster.node.kill('SIGUSR2')
  await cluster.untilServing()
  release('throw')
  await cluster.node.waitForLine(/the reload was given up/, 30_000)
  const before = cluster.workers()
  assert.equal((await getJson(cluster.target, '/'))['release'], 'slow one')
  process.kill(before[0]!, 'SIGKILL')
  await cluster.node.waitForLine(/worker died: .*does not start/, 30_000)
  assert.equal((await getJson(cluster.target, '/'))['release'], 'slow one', 'the other serves on')
  release('good again')
  await until(() => cluster.workers().filter(isAlive).length === 2, { deadlineMs: 30_000 })
})

test('[68] HUP while a bad release boots for the first time does not keep the start from failing', async (t) => {
  const { cluster } = await releasedLater(t, 'slow throw')
  await cluster.node.waitForLine(/worker starts/)
  cluster.node.kill('SIGHUP')
  assert.deepEqual(await cluster.node.exited, { code: 1, signal: null })
})

test('[68] scaled down during a reload: no error, and what is left runs the release', async (t) => {
  const { cluster, release } = await released(t, { workers: 3 })
  release('slow two')
  const reload = cluster.ask('reload')
  await cluster.node.waitForLine(/the cluster reloads/)
  assert.equal((await cluster.ask('scale', '1')).code, 0)
  const { code, stderr } = await reload
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    cluster.log().filter(({ level }) => level >= 50),
    [],
  )
  assert.deepEqual(
    (await statusOf(cluster)).workers.map(({ generation }) => generation),
    [2],
  )
})

test('a reload of no workers: those that come run the release', async (t) => {
  const { cluster, release } = await released(t, { workers: 1 })
  await cluster.ask('scale', '0')
  await until(async () => (await statusOf(cluster)).workers.length === 0)
  release('two')
  assert.equal((await cluster.ask('reload')).code, 0)
  await cluster.ask('scale', '1')
  await until(async () => (await statusOf(cluster)).workers[0]?.state === 'started')
  const { generation, workers } = await statusOf(cluster)
  assert.deepEqual([generation, workers[0]!.generation], [2, 2])
})

test('a worker that was killed at the end of an earlier drain does not make a later stop fail', async (t) => {
  const cluster = await startCluster({ workers: 1, args: ['--drain-ms', '100'] }, t)
  const before = cluster.workers()
  const lost = assert.rejects(getJson(cluster.target, '/block'))
  await cluster.node.waitForLine(/^blocking$/)
  assert.equal((await cluster.ask('reload')).code, 0)
  await lost
  await cluster.node.waitForLine(/worker is overdue and was killed/)
  assert.deepEqual(before.filter(isAlive), [])
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

interface Released {
  readonly cluster: RunningCluster
  readonly release: (text: string) => void
}

/** A cluster whose release is what `release(text)` wrote last, "one" at first. */
async function released(
  t: TestContext,
  { workers, args = [] }: { workers: number; args?: string[] },
): Promise<Released> {
  const { cluster, release } = await releasedLater(t, 'one', workers, args)
  await cluster.untilServing()
  return { cluster, release }
}

async function releasedLater(t: TestContext, text: string, workers = 2, args: string[] = []): Promise<Released> {
  const file = join(tempDir(t).path, 'release')
  const release = (content: string) => writeFileSync(file, content)
  release(text)
  return { cluster: await spawnCluster({ app: 'release', workers, args, env: { RELEASE_FILE: file } }, t), release }
}

async function spawned(t: TestContext, text: string, args: string[]): Promise<RunningCluster> {
  return (await releasedLater(t, text, 2, args)).cluster
}

async function statusOf(cluster: RunningCluster): Promise<ClusterStatus> {
  return JSON.parse((await cluster.ask('status', '--json')).stdout) as ClusterStatus
}
