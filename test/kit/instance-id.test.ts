// Ids of the parts of one process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identity, instanceId, isInstanceOf } from 'fastify-ah-kit'

test('the first of a kind is called like the process, each further one has a number behind it', () => {
  const { bootId } = identity()
  assert.deepEqual(
    [1, 2, 3].map(() => instanceId('one kind')),
    [bootId, `${bootId}.2`, `${bootId}.3`],
  )
  assert.equal(instanceId('another kind'), bootId)
})

test('all of them, and nobody else, belong to the process', () => {
  for (const id of ['boot', 'boot.2', 'boot.17']) assert.ok(isInstanceOf('boot', id), id)
  for (const id of ['boot2', 'boot.', 'boot.x', 'boot.2.3', 'oot', 'boot-2', ''])
    assert.ok(!isInstanceOf('boot', id), id)
})
