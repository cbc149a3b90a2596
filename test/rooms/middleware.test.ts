// What stands around joins, leaves and messages.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AH_ROOMS_MESSAGE, AH_ROOMS_MIDDLEWARE, AH_ROOMS_NOT_FOUND } from 'fastify-ah-rooms'
import { startRedis, until } from 'fastify-ah-test-support'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
const fresh = (name = '') => ({ prefix: `middleware${name}:` })

test('middleware: in the order of priority, blocking, changing; per receiver; both ways out', async (t) => {
  const seen: string[] = []
  const { app, connect } = await openRooms(redis.url, { ...fresh(), startingRooms: ['lobby', 'closed', 'sticky'] }, t)
  const { rooms } = app
  rooms.addMiddleware({ name: 'late', priority: 200, join: () => void seen.push('late') })
  rooms.addMiddleware({ name: 'plain', join: () => void seen.push('plain') })
  rooms.addMiddleware({
    name: 'early',
    priority: 1,
    join: (_, room) => {
      seen.push('early')
      if (room === 'closed') throw new Error('closed to you')
    },
    leave: (_, room) => {
      if (room === 'sticky') throw new Error('you stay')
    },
    onSayReceive: (_, __, message) => {
      if (message.message === 'bad') throw new Error('mind your words')
      return { ...message, message: `${message.message}!` }
    },
    say: async (connection, _, message) => {
      if (message.message === 'secret!' && connection.id !== message.from) throw new Error('not for you')
      return { ...message, you: connection.id }
    },
  })
  assert.throws(() => rooms.addMiddleware({ name: 'early' }), AH_ROOMS_MIDDLEWARE)
  assert.throws(() => rooms.addMiddleware({ name: 'x', nonsense: 1 } as never), AH_ROOMS_MIDDLEWARE)
  const [ada, bob] = [await connect(), await connect()]
  for (const room of ['lobby', 'sticky']) {
    for (const client of [ada, bob]) assert.equal((await client.request({ event: 'roomAdd', room }))['data'], true)
  }
  assert.deepEqual(seen.slice(0, 3), ['early', 'plain', 'late'])
  assert.match(String((await ada.request({ event: 'roomAdd', room: 'closed' }))['error']), /closed to you/)
  assert.equal((await rooms.roomStatus('closed')).membersCount, 0)
  assert.match(String((await ada.request({ event: 'say', room: 'lobby', message: 'bad' }))['error']), /mind your words/)
  for (const message of ['hello', 'secret', 'bye']) ada.send({ event: 'say', room: 'lobby', message })
  await until(() => ada.said().length === 3 && bob.said().length === 2)
  assert.deepEqual(ada.said(), ['hello!', 'secret!', 'bye!'])
  assert.deepEqual(bob.said(), ['hello!', 'bye!'])
  const ids = ada.messages.flatMap(({ you }) => (you === undefined ? [] : [you]))
  assert.equal(new Set(ids).size, 1)
  assert.match(String((await ada.request({ event: 'roomLeave', room: 'sticky' }))['error']), /you stay/)
  assert.equal((await rooms.roomStatus('sticky')).membersCount, 2)
  // [55] the socket is gone: nothing keeps it.
  ada.socket.terminate()
  await until(async () => (await rooms.roomStatus('sticky')).membersCount === 1)
})

test('null is nothing said, and nobody is told; what answers nothing at all is an error', async (t) => {
  const { app, connect } = await openRooms(redis.url, { ...fresh('2'), startingRooms: ['lobby'] }, t)
  const { rooms } = app
  const heard: unknown[] = []
  rooms.addMiddleware({
    name: 'quiet',
    onSayReceive: (_, __, message) => (message.message === 'shadow' ? null : message),
    say: (connection, _, message) => (message.message === 'own' && connection.id === message.from ? null : message),
  })
  rooms.addMiddleware({
    name: 'behind',
    priority: 200,
    onSayReceive: (_, __, message) => {
      heard.push(message.message)
      return message.message === 'forgotten' ? (undefined as never) : message
    },
  })
  const [ada, bob] = [await connect(), await connect()]
  for (const client of [ada, bob]) await client.request({ event: 'roomAdd', room: 'lobby' })
  const say = (message: unknown) => ada.request({ event: 'say', room: 'lobby', message })
  assert.equal((await say('shadow'))['status'], 'OK')
  assert.equal((await say('forgotten'))['code'], 'AH_ROOMS_MIDDLEWARE')
  assert.equal((await say('own'))['status'], 'OK')
  assert.equal(await rooms.broadcast(null, 'lobby', 'shadow'), undefined)
  await rooms.broadcast(null, 'lobby', 'the end')
  await until(() => ada.said().includes('the end') && bob.said().includes('the end'))
  assert.deepEqual([ada.said(), bob.said()], [['the end'], ['own', 'the end']])
  assert.deepEqual(heard, ['forgotten', 'own', 'the end'])
})

test('what JSON cannot hold is said by nobody; a middleware against it does not keep a room alive', async (t) => {
  const { app, connect } = await openRooms(redis.url, { ...fresh('3'), startingRooms: ['lobby'] }, t)
  const { rooms } = app
  const client = await connect()
  await client.request({ event: 'roomAdd', room: 'lobby' })
  const [connection] = rooms.connections()
  for (const message of [() => 1, Symbol('x'), 1n, { toJSON: () => undefined }]) {
    await assert.rejects(rooms.broadcast(null, 'lobby', message), AH_ROOMS_MESSAGE)
    await assert.rejects(rooms.to('lobby').emit('event', message), AH_ROOMS_MESSAGE)
    assert.throws(() => connection!.send(message), AH_ROOMS_MESSAGE)
  }
  assert.equal(client.messages.filter(({ context }) => context !== 'response').length, 1, 'the welcome alone')
  rooms.addMiddleware({
    name: 'members only',
    onSayReceive: (from, _, message) => {
      if (from === null) throw new Error('members only')
      return message
    },
  })
  await rooms.destroy('lobby')
  await until(() => client.messages.some(({ status }) => status === 'left'))
  await assert.rejects(rooms.destroy('lobby'), AH_ROOMS_NOT_FOUND)
})
