// Owns the same contract on the other versions of Node.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { atEnd, nodes, spawnNode } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { assertFulfils, contract } from './contract.ts'

const SERVE = new URL('./programs/serve.js', import.meta.url)

for (const { version, path } of nodes()) {
  test(`a process of Node ${version} serves what the contract says, and ends without a trace`, async (t) => {
    const child = spawnNode(SERVE, { node: path, ipc: true }, t)
    const [, directory = ''] = await child.waitForLine(/^directory (.+)$/)
    const client = new Redis(join(directory, 'redis.sock'))
    atEnd(t, () => client.disconnect())
    for (const steps of Object.values(contract)) await assertFulfils(client, steps)
    child.child.send('end')
    assert.deepEqual(await child.exited, { code: 0, signal: null })
    assert.equal(child.stderr(), '')
  })
}
