// A test that asserts nothing about its child; the child's unhandled rejection alone must fail it.
import test from 'node:test'
import { spawnNode } from '../index.ts'

test('says nothing of its child', async (t) => {
  const options = process.argv[2] === 'counted' ? { unhandledErrors: 'counted' as const } : {}
  const child = spawnNode(new URL('./ends.js', import.meta.url), { args: ['by a rejection'], ...options }, t)
  await child.exited
})
