// getOrSet in several processes: one producer for all, errors for all, and nobody waits for the dead.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import {
  type SpawnedNode,
  scaled,
  shiftDate,
  spawnNode,
  startRedis,
  type TestScope,
  until,
} from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()
const program = new URL('./programs/producer.js', import.meta.url)

interface Report {
  readonly runs: number
  readonly outcomes: readonly { by?: number; message?: string; code?: string; statusCode?: number }[]
}

function startProducers(count: number, leaseMs: number, scope: TestScope): Promise<SpawnedNode[]> {
  return startClocks(new Array(count).fill(0), leaseMs, scope)
}

/** One for each clock, which is wrong by so many ms. */
async function startClocks(clocks: readonly number[], leaseMs: number, scope: TestScope): Promise<SpawnedNode[]> {
  const children = clocks.map((ms) =>
    spawnNode(program, { args: [redis.url, String(leaseMs)], ipc: true, ...shiftDate(ms) }, scope),
  )
  await Promise.all(children.map(({ child }) => once(child, 'message')))
  return children
}

function ask({ child }: SpawnedNode, order: object): Promise<Report> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      if (typeof message !== 'object') return
      child.off('message', listen)
      resolve(message as Report)
    }
    child.on('message', listen)
    child.send(order)
  })
}

async function nothingUnhandled(children: readonly SpawnedNode[]): Promise<void> {
  for (const child of children) await child.assertNothingUnhandled()
}

test('[12] 200 calls for a missing key in 4 processes are one run of the producer', async (t) => {
  const children = await startProducers(4, 3_000, t)
  for (let round = 0; round < scaled(20, 3); round += 1) {
    const order = { key: `one ${round}`, calls: 50, does: 'work', timeoutMs: 20_000 }
    const reports = await Promise.all(children.map((child) => ask(child, order)))
    assert.equal(
      reports.reduce((sum, { runs }) => sum + runs, 0),
      1,
    )
    const by = new Set(reports.flatMap(({ outcomes }) => outcomes.map((outcome) => outcome.by)))
    assert.equal(by.size, 1)
    assert.ok(children.some(({ pid }) => by.has(pid)))
    assert.equal(await client.exists(`actionhero:produce:one ${round}`), 0)
  }
  await nothingUnhandled(children)
})

test('[12] an error of the producer reaches the waiters of all processes, and the next call tries again', async (t) => {
  const children = await startProducers(4, 3_000, t)
  const order = { key: 'failing', calls: 50, does: 'throw', timeoutMs: 20_000 }
  const reports = await Promise.all(children.map((child) => ask(child, order)))
  assert.equal(
    reports.reduce((sum, { runs }) => sum + runs, 0),
    1,
  )
  const error = { message: 'the source is down', code: 'E_SOURCE', statusCode: 503 }
  for (const { outcomes } of reports) {
    assert.equal(outcomes.length, 50)
    for (const outcome of outcomes) assert.deepEqual(outcome, error)
  }
  const again = await ask(children[0]!, { ...order, calls: 1, does: 'work' })
  assert.equal(again.runs, 1)
  assert.equal(again.outcomes[0]!.by, children[0]!.pid)
  await nothingUnhandled(children)
})

test('[12] a producer that hangs keeps nobody longer than the time of the call', async (t) => {
  const children = await startProducers(2, 3_000, t)
  const order = { key: 'hanging', calls: 20, does: 'hang', timeoutMs: 600 }
  const reports = await Promise.all(children.map((child) => ask(child, order)))
  for (const { outcomes } of reports) {
    for (const { code } of outcomes) assert.equal(code, 'AH_CACHE_PRODUCE_TIMEOUT')
  }
  const again = await ask(children[1]!, { ...order, calls: 1, does: 'work', timeoutMs: 20_000 })
  assert.equal(again.outcomes[0]!.by, children[1]!.pid)
  await nothingUnhandled(children)
})

test('[11] a clock that is ten minutes off has nobody produce what is there and new', async (t) => {
  const children = await startClocks([0, 600_000, -600_000], 3_000, t)
  for (const maker of children) {
    const order = { key: `made by ${maker.pid}`, calls: 5, does: 'work', timeoutMs: 20_000, staleMs: 60_000 }
    assert.equal((await ask(maker, order)).runs, 1)
    for (const child of children) {
      const { runs, outcomes } = await ask(child, order)
      assert.equal(runs, 0)
      for (const { by } of outcomes) assert.equal(by, maker.pid)
    }
  }
  await nothingUnhandled(children)
})

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`[12] a producer that is ended by ${signal} is replaced when its lease ends, and stores nothing later`, async (t) => {
    const key = `replaced after ${signal}`
    const [first, second] = (await startProducers(2, 500, t)) as [SpawnedNode, SpawnedNode]
    const begun = once(first.child, 'message')
    first.child.send({ key, calls: 1, does: 'work', timeoutMs: 60_000 })
    assert.deepEqual(await begun, ['running', undefined])
    first.kill(signal)
    const { runs, outcomes } = await ask(second, { key, calls: 20, does: 'work', timeoutMs: 60_000 })
    assert.equal(runs, 1)
    for (const { by } of outcomes) assert.equal(by, second.pid)

    if (signal === 'SIGSTOP') {
      const late = once(first.child, 'message')
      first.kill('SIGCONT')
      const [report] = (await late) as [Report]
      assert.equal(report.outcomes[0]!.by, first.pid, 'its caller gets what it made')
      await first.assertNothingUnhandled()
    }
    const cache = await openCache({ redis: redis.url }, t)
    assert.deepEqual(await cache.get(key), { by: second.pid })
    await until(async () => (await client.exists(`actionhero:produce:${key}`)) === 0)
    await second.assertNothingUnhandled()
  })
}
