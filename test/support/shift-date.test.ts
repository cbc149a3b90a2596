// Tests the wrong clock.
import assert from 'node:assert/strict'
import test from 'node:test'
import { shiftDate, spawnNode } from './index.ts'

const PROGRAM = new URL('./programs/prints-time.js', import.meta.url)

for (const ms of [600_000, -600_000]) {
  test(`every way to ask for the date is off by ${ms} ms, and nothing else is`, async (t) => {
    const before = Date.now()
    const child = spawnNode(PROGRAM, shiftDate(ms), t)
    await child.exited
    const after = Date.now()
    const printed = JSON.parse(child.stdout())
    for (const way of ['now', 'constructed', 'subclass', 'text']) {
      const unshifted = printed[way] - ms
      // Date() has whole seconds.
      assert.ok(unshifted >= before - 1_000 && unshifted <= after, `${way} is off by ${unshifted - before + ms}`)
    }
    assert.equal(printed.fixed, 12)
    assert.equal(printed.parsed, Date.UTC(2026, 0, 1))
    assert.equal(printed.isInstance, true)
    assert.ok(printed.uptime < 60_000)
  })
}
