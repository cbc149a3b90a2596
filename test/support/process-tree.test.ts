// Tests what is known of processes.
import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import test from 'node:test'
import { isAlive, openDescriptors, processTree, rss, spawnNode, until } from './index.ts'

const ENDS = new URL('./programs/ends.js', import.meta.url)

test('the tree of a process holds its living descendants, and is empty once they are gone', async (t) => {
  const child = spawnNode(ENDS, { args: ['never, with a child'] }, t)
  const grandchild = Number((await child.waitForLine(/^pid (\d+)$/))[1])
  assert.deepEqual(processTree(child.pid), [grandchild])
  assert.ok(processTree(process.pid).includes(grandchild))
  process.kill(grandchild, 'SIGKILL')
  await until(() => processTree(child.pid).length === 0)
  assert.ok(!isAlive(grandchild))
  assert.ok(isAlive(child.pid))
})

test('descriptors and memory are those of the process', (t) => {
  const before = openDescriptors(process.pid)
  const files = Array.from({ length: 10 }, () => openSync('/dev/null', 'r'))
  t.after(() => files.map((file) => closeSync(file)))
  assert.equal(openDescriptors(process.pid), before + 10)
  assert.ok(Math.abs(rss(process.pid) - process.memoryUsage.rss()) < 32 * 1024 * 1024)
})
