// The parts that touch nothing: reports that anybody may have sent, sums over processes, labels that stay few.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { internal } from './internal.ts'
import { Page } from './scrape.ts'

const { openReport } = await internal<typeof import('../../packages/metrics/dist/report.js')>('report')
const { Sums } = await internal<typeof import('../../packages/metrics/dist/sums.js')>('sums')
const { Bounded } = await internal<typeof import('../../packages/metrics/dist/bounded.js')>('bounded')

type Metrics = Parameters<InstanceType<typeof Sums>['hear']>[1]

/** What a registry reports, as it comes over the channel. */
async function reported(registry: Registry): Promise<Metrics> {
  const text = JSON.stringify({ worker: '1', metrics: await registry.getMetricsAsJSON(), failed: [] })
  const report = openReport(JSON.parse(text))
  assert.ok(report !== undefined, text)
  return report.metrics
}

/** A process that has counted so much. */
function counting(count: number, { buckets = [1, 2] }: { buckets?: number[] } = {}): Registry {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'fastify_ah_c', help: 'c', labelNames: ['a'], registers }).inc({ a: 'x' }, count)
  new Gauge({ name: 'fastify_ah_g', help: 'g', registers }).set(count)
  new Gauge({ name: 'fastify_ah_max', help: 'm', registers, aggregator: 'max' }).set(count)
  const histogram = new Histogram({ name: 'fastify_ah_h', help: 'h', buckets, registers })
  for (let one = 0; one < count; one += 1) histogram.observe(1.5)
  return registry
}

const page = async (sums: InstanceType<typeof Sums>, own: Metrics = [], now?: number) =>
  new Page(await sums.total(own, now).metrics())

describe('sums', () => {
  test('counters and histograms of all processes are added up, gauges as they say', async () => {
    const sums = new Sums()
    assert.equal(sums.hear('a', await reported(counting(1))), true)
    sums.hear('b', await reported(counting(2)))
    sums.hear('b', await reported(counting(3)))
    const found = await page(sums, await reported(counting(10)))
    assert.equal(found.value('c{a="x"}'), 14)
    assert.equal(found.value('g'), 14)
    assert.equal(found.value('max'), 10)
    assert.equal(found.value('h_bucket{le="1"}'), 0)
    assert.equal(found.value('h_bucket{le="2"}'), 14)
    assert.equal(found.value('h_count'), 14)
    assert.equal(found.value('h_sum'), 21)
  })

  test('who is gone takes its gauges along and leaves its counts, also those that arrive late', async () => {
    const sums = new Sums()
    sums.hear('a', await reported(counting(1)))
    sums.hear('b', await reported(counting(2)))
    sums.left('a', 0)
    assert.equal(sums.hear('a', await reported(counting(5))), false, 'its last words')
    sums.left('silent until its end', 0)
    sums.hear('silent until its end', await reported(counting(7)))
    for (const now of [1, 4_999, 5_001, 60_000]) {
      const found = await page(sums, [], now)
      assert.equal(found.value('c{a="x"}'), 14, `at ${now}`)
      assert.equal(found.value('h_count'), 14)
      assert.equal(found.value('g'), 2)
    }
    sums.hear('c', await reported(counting(1)))
    sums.left('b', 70_000)
    sums.left('c', 70_000)
    assert.equal((await page(sums, [], 80_000)).value('c{a="x"}'), 15)
    assert.equal((await page(sums, [], 80_000)).value('g'), undefined)
  })

  test('a release that changed a metric does not mix with what others said under its name', async () => {
    const sums = new Sums()
    sums.hear('old', await reported(counting(3, { buckets: [1, 2, 3] })))
    sums.left('old', 0)
    await page(sums, [], 10_000)
    sums.hear('new', await reported(counting(4)))
    const found = await page(sums, [], 10_001)
    assert.equal(found.value('h_count'), 4)
    assert.equal(found.value('h_bucket{le="3"}'), undefined)
    assert.equal(found.value('c{a="x"}'), 7)
    const other = new Registry()
    new Gauge({ name: 'fastify_ah_c', help: 'now a gauge', registers: [other] }).set(1)
    sums.hear('newer', await reported(other))
    const changed = await page(sums, [], 10_002)
    assert.equal(changed.value('c'), 1)
    assert.equal(changed.value('c{a="x"}'), undefined)
  })

  test('a thousand processes that come and go leave nothing but their counts', async () => {
    const sums = new Sums()
    const one = await reported(counting(1))
    for (let process = 0; process < 1_000; process += 1) {
      sums.hear(`p${process}`, one)
      sums.left(`p${process}`, process * 100)
    }
    const found = await page(sums, [], 1e6)
    assert.equal(found.value('c{a="x"}'), 1_000)
    assert.equal(found.value('h_bucket{le="2"}'), 1_000)
  })
})

describe('reports', () => {
  const sound = { name: 'a', help: 'h', type: 'counter', values: [{ value: 1, labels: { b: 'c' } }] }
  const report = (metric: unknown) => ({ worker: '1', metrics: [metric], failed: [] })

  test('[70] what is no report is none', () => {
    assert.ok(openReport(report(sound)) !== undefined)
    const wrong: unknown[] = [
      ...[undefined, null, 1, 'x', [], {}, { worker: '1' }, { worker: 1, metrics: [], failed: [] }],
      { worker: '1', metrics: {}, failed: [] },
      { worker: '1', metrics: [], failed: [1] },
      ...[null, 1, [], {}, { ...sound, name: 'a b' }, { ...sound, name: 1 }, { ...sound, help: undefined }].map(report),
      report({ ...sound, type: 'untyped' }),
      report({ ...sound, aggregator: 'constructor' }),
      report({ ...sound, values: {} }),
      report({ ...sound, values: [1] }),
      report({ ...sound, values: [{ value: '1', labels: {} }] }),
      report({ ...sound, values: [{ value: 1, labels: { 'a"': 'b' } }] }),
      report({ ...sound, values: [{ value: 1, labels: { a: {} } }] }),
      report({ ...sound, values: [{ value: 1, labels: { a: 'x'.repeat(3_000) } }] }),
      report({ ...sound, values: [{ value: 1, labels: {}, metricName: 'a\nb 1' }] }),
      report({ ...sound, values: Array.from({ length: 50_001 }, () => ({ value: 1, labels: {} })) }),
    ]
    for (const one of wrong) assert.equal(openReport(one), undefined, JSON.stringify(one)?.slice(0, 200))
  })

  test('what cannot be added up is left out: no number, and the quantiles of a summary', () => {
    const values = [
      { value: null, labels: {} },
      { value: 2, labels: { quantile: 0.5 } },
      { value: 3, labels: {}, metricName: 'a_sum' },
    ]
    assert.deepEqual(openReport(report({ ...sound, type: 'summary', values }))?.metrics[0]?.values, [
      { value: 3, labels: {}, metricName: 'a_sum' },
    ])
  })
})

test('a label has the first values as they are, and one for all others', () => {
  const label = new Bounded(2)
  assert.deepEqual(
    ['a', 'b', 'c', 'a', 'd', 'b'].map((value) => label.of(value)),
    ['a', 'b', 'other', 'a', 'other', 'b'],
  )
  assert.equal(new Bounded(2).of('x'.repeat(201)), 'other')
})
