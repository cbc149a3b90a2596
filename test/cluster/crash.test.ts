// What a worker's end tells: its stack in the primary's log, its boot id to the survivors, and garbage to nobody.
import assert from 'node:assert/strict'
import test from 'node:test'
import { httpGet, isAlive, until } from 'fastify-ah-test-support'
import { getJson, type RunningCluster, startCluster } from './running.ts'

for (const [path, type, message] of [
  ['/throw', 'RangeError', 'thrown where nobody catches'],
  ['/reject', 'TypeError', 'rejected where nobody listens'],
] as const) {
  test(`${path}: an error that nobody catches ends the worker, with its stack in the primary's log`, async (t) => {
    const cluster = await startCluster({ workers: 1, unhandledErrors: 'counted' }, t)
    const [pid] = cluster.workers()
    await getJson(cluster.target, path)
    await cluster.untilServing({ not: [pid!] })
    const line = cluster.log().find(({ workerPid, level }) => workerPid === pid && level === 50)
    const err = line?.['err'] as { type: string; message: string; stack: string }
    assert.equal(line?.['code'], 1)
    assert.deepEqual({ type: err.type, message: err.message }, { type, message })
    assert.match(err.stack, /fixtures\/app\.(js|ts):\d+/)
    assert.ok(line.msg.includes(message))
    assert.equal(cluster.node.stderr(), '', 'said once, in the log')
    assert.equal((await cluster.node.unhandled()).length, 1)
    assert.equal((await cluster.stop()).code, 0)
  })
}

test('a rejection with undefined ends the worker with a readable text too', async (t) => {
  const cluster = await startCluster({ workers: 1, unhandledErrors: 'counted' }, t)
  const [pid] = cluster.workers()
  await getJson(cluster.target, '/reject-undefined')
  await cluster.untilServing({ not: [pid!] })
  const line = cluster.log().find(({ workerPid, level }) => workerPid === pid && level === 50)
  assert.match(line!.msg, /undefined/)
})

test('a worker that exits, closes its app or closes its channel is replaced, whatever its exit code', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  for (const path of ['/exit', '/close', '/drain', '/disconnect']) {
    const [pid] = await cluster.untilServing()
    await httpGet(cluster.target, { path }).catch((error: NodeJS.ErrnoException) =>
      assert.equal(error.code, 'ECONNRESET'),
    )
    await cluster.untilServing({ not: [pid!] })
    await until(() => !isAlive(pid!), { what: `${path} ends the worker` })
  }
  assert.equal((await cluster.stop()).code, 0)
})

test('the survivors hear of every death, with the boot id that the dead worker had, and of no orderly end', async (t) => {
  const cluster = await startCluster({ workers: 2 }, t)
  const all = new Map<number, string>()
  await until(async () => {
    const { pid, bootId } = await getJson<{ pid: number; bootId: string }>(cluster.target, '/who')
    all.set(pid, bootId)
    return all.size === 2
  })
  assert.equal(new Set(all.values()).size, 2)
  const [victim, survivor] = [...all.keys()]
  process.kill(victim!, 'SIGKILL')
  const death = { bootId: all.get(victim!), pid: victim, cause: 'crashed' }
  await untilHeard(cluster, survivor!, [death])
  const replacement = (await cluster.untilServing({ not: [victim!] })).find((pid) => pid !== survivor)
  await untilHeard(cluster, replacement!, [death])
  // An orderly end is no death: the worker has nothing left that somebody would have to recover.
  process.kill(replacement!, 'SIGTERM')
  await cluster.untilServing({ not: [victim!, replacement!] })
  await untilHeard(cluster, survivor!, [death])
})

test('when all workers die at once their successors hear of all of them', async (t) => {
  const cluster = await startCluster({ workers: 2 }, t)
  const before = await cluster.untilServing()
  for (const pid of before) process.kill(pid, 'SIGKILL')
  for (const pid of await cluster.untilServing({ not: before })) {
    await until(async () => {
      const { deaths } = await deathsHeardBy(cluster, pid)
      return before.every((dead) => deaths.some((death) => death.pid === dead))
    })
  }
})

test('[70] messages from a worker that are garbage are ignored, and said so once', async (t) => {
  const cluster = await startCluster({ workers: 1 }, t)
  const [pid] = cluster.workers()
  await getJson(cluster.target, '/garbage')
  await getJson(cluster.target, '/garbage')
  const { workers } = await getJson<{ workers: { pid: number; state: string }[] }>(cluster.target, '/status')
  assert.deepEqual(
    workers.map(({ pid, state }) => ({ pid, state })),
    [{ pid, state: 'started' }],
  )
  assert.equal(cluster.log().filter(({ msg }) => msg.includes('not ours')).length, 1)
  assert.equal((await cluster.stop()).code, 0)
})

async function deathsHeardBy(cluster: RunningCluster, pid: number): Promise<{ deaths: { pid: number }[] }> {
  // Whoever answers is chance: asked until it was the one.
  return until(async () => {
    const answer = await httpGet(cluster.target, { path: '/deaths' })
    return answer.headers['x-pid'] === String(pid) && { deaths: JSON.parse(answer.body) as { pid: number }[] }
  })
}

async function untilHeard(cluster: RunningCluster, pid: number, expected: readonly object[]): Promise<void> {
  const { deaths } = await until(async () => {
    const heard = await deathsHeardBy(cluster, pid)
    return heard.deaths.length >= expected.length && heard
  })
  assert.deepEqual(deaths, expected)
}

test('[70] bytes in the channel that Node itself cannot read end neither the primary nor the worker', async (t) => {
  const cluster = await startCluster({ workers: 1, unhandledErrors: 'counted' }, t)
  const before = cluster.workers()
  await getJson(cluster.target, '/garble')
  await until(() => cluster.log().some(({ msg }) => msg.includes('not ours')))
  await getJson(cluster.target, '/status')
  assert.deepEqual(cluster.workers(), before)
  assert.equal((await cluster.stop()).code, 0)
})

test('a worker in which somebody else listens to uncaught exceptions dies of them too, a moment later', async (t) => {
  const cluster = await startCluster({ workers: 1, unhandledErrors: 'counted' }, t)
  const before = cluster.workers()
  await httpGet(cluster.target, { path: '/listen' })
  await httpGet(cluster.target, { path: '/throw' })
  await cluster.untilServing({ not: before })
  const died = cluster.log().find(({ msg }) => msg.startsWith('worker died'))
  assert.equal(died?.msg, 'worker died: thrown where nobody catches')
})
