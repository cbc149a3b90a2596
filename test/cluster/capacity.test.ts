// More workers than the machine is made for: a warning, never a refusal.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import test from 'node:test'
import { until } from 'fastify-ah-test-support'
import { startCluster } from './running.ts'

const { warningsOf, capacity } = (await import(
  new URL('../../../packages/cluster/dist/capacity.js', import.meta.url).href
)) as typeof import('../../packages/cluster/dist/capacity.js')

test('workers that fit are not talked about', () => {
  assert.deepEqual(warningsOf(2, undefined, { cpus: 2, memoryMb: 128 }), [])
  assert.deepEqual(warningsOf(2, 500, { cpus: 2, memoryMb: 1_000 }), [])
})

test('more workers than CPUs, or than memory allows, is a warning with the numbers', () => {
  assert.deepEqual(warningsOf(9, undefined, { cpus: 2, memoryMb: 512 }), [
    '9 workers are more than the 2 CPUs that are available: they take turns, which makes each slower',
    '9 workers take about 64 MB each, empty, 576 MB in all, and there are 512 MB of memory',
  ])
  assert.deepEqual(warningsOf(2, 300, { cpus: 2, memoryMb: 512 }), [
    '2 workers take up to 300 MB each (--max-rss-mb), 600 MB in all, and there are 512 MB of memory',
  ])
})

test('what this machine has is found', () => {
  const { cpus, memoryMb } = capacity()
  assert.ok(cpus >= 1 && cpus <= availableParallelism(), String(cpus))
  assert.ok(memoryMb > 100 && memoryMb < 100_000_000, String(memoryMb))
})

test('the warning is in the log, at the start and when workers are added, and the cluster serves all the same', async (t) => {
  const workers = availableParallelism() + 1
  const cluster = await startCluster({ workers }, t)
  const warned = () =>
    cluster.log().flatMap(({ level, msg }) => (level === 40 ? (/^\d+ workers are more than/.exec(msg) ?? []) : []))
  assert.deepEqual(warned(), [`${workers} workers are more than`])
  assert.equal((await cluster.ask('scale', '-1')).code, 0)
  assert.equal((await cluster.ask('scale', '+2')).code, 0)
  await until(() => warned().length > 1)
  assert.deepEqual(warned(), [`${workers} workers are more than`, `${workers + 1} workers are more than`])
})
