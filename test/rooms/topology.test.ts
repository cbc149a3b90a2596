// The same on a Redis Cluster, with plain and with sharded pub/sub, and on the embedded store.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import type { RedisOption } from 'fastify-ah-kit/redis'
import { spawnNode, startRedisCluster, until } from 'fastify-ah-test-support'
import { openRooms } from './open-rooms.ts'

const cluster = await startRedisCluster({}, test)
const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
const store = await startEmbeddedStore()
test.after(() => store.close())

const places: [string, RedisOption, boolean][] = [
  ['a Redis Cluster', { cluster: nodes }, false],
  ['a Redis Cluster, sharded', { cluster: nodes }, true],
  ['the embedded store', store.path, false],
]

for (const [index, [name, redis, sharded]] of places.entries()) {
  describe(name, () => {
    test('rooms are made, joined over two nodes, talked in, resumed, and destroyed', async (t) => {
      const options = { prefix: `topology-${index}:`, startingRooms: ['lobby', 'a', 'b', 'c', '}', '*'] }
      const open = () => openRooms(redis, options, t, undefined, { sharded })
      const [one, two] = [await open(), await open()]
      assert.deepEqual(await two.app.rooms.list(), ['*', 'a', 'b', 'c', 'lobby', '}'].sort())
      const [ada, bob] = [await one.connect(), await two.connect()]
      for (const room of options.startingRooms) {
        for (const client of [ada, bob]) {
          assert.equal((await client.request({ event: 'roomAdd', room }))['data'], true, room)
        }
        assert.equal((await two.app.rooms.roomStatus(room)).membersCount, 2)
        const ids = await Promise.all([1, 2, 3].map((number) => one.app.rooms.broadcast(null, room, number)))
        for (const client of [ada, bob]) {
          await until(() => client.said(room).length === 3, { what: `three in ${room}` })
          assert.deepEqual(client.said(room), [1, 2, 3])
        }
        const heard = ada.messages.find(({ id }) => id === ids[0])!
        const back = await two.connect()
        const position = { epoch: heard['epoch'], last: heard['id'] }
        assert.equal((await back.request({ event: 'roomAdd', room, heard: position }))['recovered'], true)
        await until(() => back.said(room).length === 2)
        assert.deepEqual(back.said(room), [2, 3])
        back.socket.terminate()
        await until(async () => (await one.app.rooms.roomStatus(room)).membersCount === 2)
      }
      await one.app.rooms.destroy('a')
      await until(() => bob.messages.some(({ status, room }) => status === 'left' && room === 'a'))
      assert.ok(!(await two.app.rooms.list()).includes('a'))
      await one.app.close()
      await until(async () => (await two.app.rooms.roomStatus('b')).membersCount === 1)
      await two.app.rooms.broadcast(null, 'b', 'still here')
      await until(() => bob.said('b').includes('still here'))
    })
  })
}

test('[54] on the embedded store too: the members of a process that was killed are out', async (t) => {
  const options = { prefix: 'topology-killed:', startingRooms: ['lobby'], leaseMs: 900 }
  const one = await openRooms(store.path, options, t)
  const file = new URL('./programs/members.js', import.meta.url)
  const env = { ROOMS_REDIS: store.path, ROOMS_OPTIONS: JSON.stringify(options), ROOMS_MEMBERS: '5' }
  const child = spawnNode(file, { env }, t)
  await child.waitForLine(/^all in$/)
  assert.equal((await one.app.rooms.roomStatus('lobby')).membersCount, 5)
  child.kill('SIGKILL')
  await until(async () => (await one.app.rooms.roomStatus('lobby')).membersCount === 0, { deadlineMs: 15_000 })
  assert.deepEqual(
    one.lines.filter((line) => line.includes('could not show a sign of life')),
    [],
  )
})
