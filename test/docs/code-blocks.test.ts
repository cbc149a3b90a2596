// Every block of code that the documentation shows runs, and does what its page says.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { availabilityBlocks } from './availability-blocks.ts'
import { cacheBlocks } from './cache-blocks.ts'
import { clusterBlocks } from './cluster-blocks.ts'
import { codeBlocks } from './code-blocks.ts'
import { metricsBlocks } from './metrics-blocks.ts'
import { otherBlocks } from './other-blocks.ts'
import { roomsBlocks } from './rooms-blocks.ts'
import { tasksBlocks } from './tasks-blocks.ts'
import { testingBlocks } from './testing-blocks.ts'

const drivers = [
  ...availabilityBlocks,
  ...cacheBlocks,
  ...clusterBlocks,
  ...metricsBlocks,
  ...otherBlocks,
  ...roomsBlocks,
  ...tasksBlocks,
  ...testingBlocks,
]
const undriven = new Set(codeBlocks())

// They wait for clusters to come up most of the time.
describe('the documentation', { concurrency: 3 }, () => {
  for (const { page, shows, run } of drivers) {
    const blocks = [shows].flat().map((text) => {
      const found = [...undriven].filter((block) => block.page === page && block.code.includes(text))
      return found.length === 1 ? found[0]! : text
    })
    for (const block of blocks) if (typeof block !== 'string') undriven.delete(block)
    test(`${page}: ${[shows].flat()[0]}`, async (t) => {
      const codes = blocks.map((block) => {
        assert.ok(typeof block !== 'string', `not one block of ${page} shows "${block}"`)
        return block.code
      })
      await run(t, ...codes)
    })
  }
})

test('no block of code goes untried', () => {
  assert.deepEqual(
    [...undriven].map(({ page, line, code }) => `${page}:${line} ${code.split('\n')[0]}`),
    [],
  )
})
