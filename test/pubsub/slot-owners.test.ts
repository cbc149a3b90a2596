// What a client of a Cluster knows of slots changes faster than connections are made.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import calculateSlot from 'cluster-key-slot'
import { scaled, startRedisCluster, until } from 'fastify-ah-test-support'
import type { Cluster } from 'ioredis'
import { openTransport } from './open-transport.ts'

test('[5] a slot that is said to have moved and is back before its new master was asked: still heard', async (t) => {
  const cluster = await startRedisCluster({}, t)
  const redis = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) }
  const { transport, connection, heard } = await openTransport({ redis }, t)
  const client = connection.client as Cluster
  // Nodes that have not heard of a move yet answer the old owner: what the client believes goes to and fro.
  const believe = (slot: number, owner: string) => {
    client.slots[slot] = [owner]
    client.emit('refresh')
  }
  for (let round = 0; round < scaled(50, 5); round += 1) {
    const channel = `to and fro ${round}`
    await transport.hold(channel)
    const slot = calculateSlot(channel)
    const owner = client.slots[slot]![0]!
    const other = client.slots.find((nodes) => nodes[0] !== owner)![0]!
    believe(slot, other)
    believe(slot, owner)
    await until(() => transport.health() === true)
    await transport.publish(channel, 'x')
    await until(() => heard.includes(`${channel} x`), { deadlineMs: 2_000, what: `round ${round} is heard` })
    await transport.release(channel)
    await transport.publish(channel, 'unheard')
  }
  assert.ok(!heard.some((text) => text.endsWith('unheard')))
})
