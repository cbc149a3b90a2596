// The contract on the embedded store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { transportContract } from './contract.ts'
import { openPubSub } from './open-pubsub.ts'

const store = await startEmbeddedStore()
test.after(() => store.close())

transportContract('the embedded store', { options: { redis: store.path }, hasPatterns: true })

test('calls and the list of nodes on it', async (t) => {
  const [one, other] = [await openPubSub({ redis: store.path }, t), await openPubSub({ redis: store.path }, t)]
  other.handle('who', () => other.id)
  assert.equal(await one.call('who', undefined, { node: other.id }), other.id)
  assert.equal((await one.callAll('who')).length, 2)
  assert.deepEqual((await one.nodes()).map(({ id }) => id).sort(), [one.id, other.id].sort())
})
