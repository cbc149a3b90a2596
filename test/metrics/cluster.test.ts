// The numbers of all workers on the primary's port: summed up, over deaths and reloads, and what the primary knows itself.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { freePort, httpGet, spawnNode, type TestScope, tempDir, until } from 'fastify-ah-test-support'
import { type Page, scrape } from './scrape.ts'

const require = createRequire(import.meta.url)
const command = join(dirname(require.resolve('fastify-ah/package.json')), 'bin/fastify-ah.js')
const fixture = join(import.meta.dirname, 'fixtures/app.js')

async function startCluster(scope: TestScope, { args = [] as string[], root = import.meta.dirname } = {}) {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const pids = tempDir(scope).path
  const where = ['--host', '127.0.0.1', '--port', String(port), '--pids', pids, '--no-embedded', '--workers', '2']
  const shown = ['--metrics-port', String(metricsPort), ...args]
  const node = spawnNode(command, { args: ['start', 'cluster', fixture, ...where, ...shown], cwd: root }, scope)
  const order = async () =>
    JSON.parse((await httpGet({ port }, { path: '/order' })).body) as { pid: number; id: number }
  const page = (): Promise<Page> => scrape({ port: metricsPort })
  const health = async () => {
    const { status, body } = await httpGet({ port: metricsPort }, { path: '/health' })
    const { failing } = JSON.parse(body) as { failing: { worker: string; checks: string[] }[] }
    return { status, failing }
  }
  const ask = async (...words: string[]) => {
    const asked = spawnNode(command, { args: [...words, '--pids', pids] }, scope)
    assert.deepEqual(await asked.exited, { code: 0, signal: null }, asked.stderr())
  }
  return { node, port, metricsPort, order, page, health, ask }
}

const orders = ({ text }: Page): number => Number(/^shop_orders_total (\d+)$/m.exec(text)?.[1])

test('[63] [60] counts of all workers are summed up and never go down: a kill and a reload change nothing', async (t) => {
  const { node, port, order, page, health, ask } = await startCluster(t)
  await node.waitForLine(/equilibrium state reached with 2 workers/, 30_000)
  const answered = new Set<number>()
  let count = 0
  while (answered.size < 2) {
    answered.add((await order()).pid)
    count += 1
  }
  const first = await page()
  assert.equal(orders(first), count, 'asked for at the scrape')
  assert.match(first.text, /^shop_open 2$/m)
  assert.equal(first.sum('http_request_duration_seconds_count', 'route="/order"', 'status="2xx"'), count)
  assert.equal(first.value('cluster_workers{state="started"}'), 2)
  assert.equal(first.value('cluster_workers_wanted'), 2)
  assert.equal(first.value('cluster_worker_starts_total'), 2)
  for (const worker of ['1', '2', 'primary']) assert.ok(first.sum('worker_memory_bytes', `worker="${worker}"`) > 0)
  assert.equal(first.value('ready{worker="1"}'), 1)
  assert.equal(first.value('loop_failures{worker="primary",loop="manager"}'), 0)
  assert.deepEqual((await health()).failing, [])
  // Neither the route nor the port that a process without a manager would have.
  assert.equal((await httpGet({ port }, { path: '/metrics' })).status, 404)

  const [doomed] = answered
  process.kill(doomed!, 'SIGKILL')
  await until(async () => (await page()).value('cluster_worker_exits_total{reason="crashed"}') === 1)
  await until(async () => (await page()).value('cluster_workers{state="started"}') === 2)
  const afterKill = await page()
  assert.equal(orders(afterKill), count)
  assert.match(afterKill.text, /^shop_open 2$/m)
  assert.ok(afterKill.sum('worker_cpu_seconds_total') > 0)

  await order()
  await ask('reload')
  await order()
  const afterReload = await page()
  assert.equal(orders(afterReload), count + 2)
  assert.equal(afterReload.value('cluster_reloads_total{outcome="done"}'), 1)
  assert.equal(afterReload.value('cluster_generation'), 2)
  assert.equal(afterReload.value('cluster_worker_exits_total{reason="stopped"}'), 2)
  await ask('stop')
  assert.equal((await node.exited).code, 0)
  await assert.rejects(page(), /ECONNREFUSED/)
})

test('[70] [66] garbage is no report, a worker that blocks is counted as it was, and who is unfit is named', async (t) => {
  const { node, port, order, page, health } = await startCluster(t)
  await node.waitForLine(/equilibrium state reached with 2 workers/, 30_000)
  await order()
  await httpGet({ port }, { path: '/garbage' })
  await node.waitForLine(/a message from a worker is not ours and is ignored/)
  await until(async () => orders(await page()) === 1)
  const blocked = httpGet({ port }, { path: '/block' })
  const startedAt = performance.now()
  await page()
  assert.equal(orders(await page()), 1)
  assert.ok(performance.now() - startedAt < 2_000, 'nobody waits for it')
  await blocked
  await until(async () => (await page()).sum('event_loop_lag_seconds_sum') > 1)
  const { body } = await httpGet({ port }, { path: '/unfit' })
  const { id } = JSON.parse(body) as { id: number }
  const found = await until(async () => {
    const { status, failing } = await health()
    return status === 503 && failing
  })
  assert.deepEqual(found, [{ worker: String(id), checks: ['mine'] }])
  assert.equal((await page()).value(`ready{worker="${id}"}`), 0)
  node.kill('SIGTERM')
  assert.equal((await node.exited).code, 0)
})

test('without the package, or on a port that is taken, the cluster says so and does not start', async (t) => {
  const taken = await startCluster(t)
  await taken.node.waitForLine(/the metrics of all workers are on http:\/\/127\.0\.0\.1:\d+\/metrics/, 30_000)
  const second = await startCluster(t, { args: ['--metrics-port', String(taken.metricsPort)] })
  assert.equal((await second.node.exited).code, 1)
  assert.match(second.node.stderr() + second.node.stdout(), /metrics cannot be shown on 127\.0\.0\.1:\d+: .*EADDRINUSE/)
  const without = await startCluster(t, { root: tempDir(t).path })
  assert.equal((await without.node.exited).code, 1)
  assert.match(
    without.node.lines().join('\n'),
    /needs the package fastify-ah-metrics in .*: npm install fastify-ah-metrics/,
  )
  taken.node.kill('SIGTERM')
  assert.equal((await taken.node.exited).code, 0)
})
