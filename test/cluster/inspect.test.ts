// Workers under a debugger: each has a port of its own, a replacement takes it over.
import assert from 'node:assert/strict'
import test from 'node:test'
import { freePort, httpGet, nodes, until } from 'fastify-ah-test-support'
import { getJson, spawnCluster, startCluster } from './running.ts'

for (const { version, path } of nodes()) {
  test(`Node ${version}: --inspect=port gives each worker the port plus its number, said in the log`, async (t) => {
    const base = await freePort()
    // The primary's own inspector is not the workers'.
    const cluster = await startCluster(
      { node: path, execArgv: [`--inspect=127.0.0.1:${base}`], args: [`--inspect=${base}`] },
      t,
    )
    for (const id of [1, 2]) {
      const line = cluster.log().find(({ inspectPort }) => inspectPort === base + id)
      assert.equal(line?.msg, `worker ${id} can be inspected on 127.0.0.1:${base + id}`)
      const [target] = await untilInspected(base + id)
      assert.match(target!.title, new RegExp(`-worker-${id}$|worker-body`))
    }
  })
}

test('the port may also stand behind a blank', async (t) => {
  const base = await freePort()
  const cluster = await startCluster({ workers: 1, args: ['--inspect', String(base)] }, t)
  assert.equal((await httpGet(cluster.target)).status, 200)
  await untilInspected(base + 1)
})

test('a replacement takes the port over', async (t) => {
  const base = await freePort()
  const cluster = await startCluster({ workers: 1, args: [`--inspect=${base}`] }, t)
  const [before] = await untilInspected(base + 1)
  const { pid } = await getJson<{ pid: number }>(cluster.target, '/')
  process.kill(pid, 'SIGKILL')
  await cluster.untilServing({ count: 1, not: [pid] })
  const after = await until(
    async () => {
      const [target] = await targets(base + 1)
      return target!.id !== before!.id && target
    },
    { what: 'the inspector of the replacement' },
  )
  assert.notEqual(after.id, before!.id)
})

test('a port that somebody else holds does not keep the worker from serving', async (t) => {
  const base = await freePort()
  const holder = await startCluster({ workers: 1, port: base + 1 }, t)
  const cluster = await startCluster({ workers: 1, args: [`--inspect=${base}`] }, t)
  assert.equal((await httpGet(cluster.target)).status, 200)
  await holder.stop()
  await untilInspected(base + 1)
})

test('a base that leaves no room for the workers is refused', async (t) => {
  for (const given of ['0', '65000', 'here']) {
    const { node } = await spawnCluster({ args: [`--inspect=${given}`] }, t)
    assert.deepEqual(await node.exited, { code: 2, signal: null })
    assert.match(node.stderr(), /option "--inspect": expected .*, got /)
  }
})

interface Target {
  readonly id: string
  readonly title: string
}

async function targets(port: number): Promise<Target[]> {
  const { status, body } = await httpGet({ port }, { path: '/json/list' })
  assert.equal(status, 200)
  return JSON.parse(body) as Target[]
}

function untilInspected(port: number): Promise<Target[]> {
  return until(() => targets(port), { what: `an inspector on port ${port}` })
}
