// Tests scales and seeds.
import assert from 'node:assert/strict'
import test from 'node:test'
import { random, seed, spawnNode } from './index.ts'

const PROGRAM = new URL('./programs/prints-scale.js', import.meta.url)

interface Printed {
  scaled: number[]
  random: number[]
}

test('scaled multiplies by AH_TEST_SCALE and keeps to the minimum', async (t) => {
  const run = async (scale: string | undefined) => {
    const child = spawnNode(PROGRAM, { env: { AH_TEST_SCALE: scale } }, t)
    await child.exited
    return (JSON.parse(child.stdout()) as Printed).scaled
  }
  assert.deepEqual(await run(undefined), [50, 1, 3])
  assert.deepEqual(await run('1'), [1_000, 10, 10])
  assert.deepEqual(await run('0.5'), [500, 5, 5])
})

test('a scale or seed that is no number above 0 is refused', async (t) => {
  for (const env of [{ AH_TEST_SCALE: 'big' }, { AH_TEST_SCALE: '-1' }, { AH_TEST_SEED: '0' }]) {
    const child = spawnNode(PROGRAM, { env, unhandledErrors: 'counted' }, t)
    assert.equal((await child.exited).code, 1)
    assert.match(child.stderr(), /must be a number above 0, got '/)
  }
})

test('the same seed gives the same numbers, and the seed is printed', async (t) => {
  const run = async (value: number) => {
    const child = spawnNode(PROGRAM, { env: { AH_TEST_SEED: String(value) } }, t)
    await child.waitForLine(new RegExp(`AH_TEST_SEED=${value}`))
    await child.exited
    return (JSON.parse(child.stdout()) as Printed).random
  }
  assert.deepEqual(await run(41), await run(41))
  assert.notDeepEqual(await run(41), await run(42))
})

test('children share the seed of their test', async (t) => {
  const child = spawnNode(PROGRAM, {}, t)
  await child.waitForLine(new RegExp(`AH_TEST_SEED=${seed}$`))
})

test('random numbers spread over [0, 1)', () => {
  const buckets = new Array<number>(10).fill(0)
  for (let i = 0; i < 10_000; i++) buckets[Math.floor(random() * 10)]!++
  assert.equal(buckets.length, 10)
  for (const count of buckets) assert.ok(count > 800 && count < 1_200, `${buckets}`)
})
