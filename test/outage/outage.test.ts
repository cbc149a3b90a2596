// The fast cut of the outage matrix: one row of each topology. `npm run outage` runs all of it, at full length.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { spawnNode } from 'fastify-ah-test-support'
import type { Fault } from './faults.ts'
import { matrix } from './matrix.ts'
import type { Topology } from './places.ts'
import type { Row } from './row.ts'

const program = new URL('./programs/row.js', import.meta.url)

const rows: readonly [number: string, topology: Topology, fault: Fault][] = [
  ['1', 'one server', 'killed'],
  ['4', 'Sentinel', 'demoted'],
  ['5', 'Redis Cluster', 'slot migration'],
]

describe('an outage under every plugin at once', { concurrency: true }, () => {
  for (const [number, topology, fault] of rows) {
    test(`[${number}] ${topology}, ${fault}: every subject goes on, nothing is lost or doubled`, async (t) => {
      const child = spawnNode(program, { args: [topology, fault] }, t)
      const { code } = await child.exited
      assert.equal(code, 0, child.lines().join('\n'))
      const row = JSON.parse(child.stdout()) as Row
      const broken = row.cells.filter(({ faults }) => faults.length > 0)
      assert.deepEqual(broken, [])
      assert.ok(row.cells.length >= 10)
    })
  }
})

test('every topology is met by every fault, or it is said why not', () => {
  assert.equal(matrix.length, 24)
  assert.equal(matrix.filter(({ senseless }) => senseless === undefined).length, 20)
  for (const [, topology, fault] of rows) {
    assert.ok(matrix.some((one) => one.topology === topology && one.fault === fault && one.senseless === undefined))
  }
})
