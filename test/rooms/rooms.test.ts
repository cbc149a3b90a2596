// The rooms as an app and its clients use them: made, joined, talked in, left, destroyed, over two nodes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AH_ROOMS_EXISTS,
  AH_ROOMS_MEMBER,
  AH_ROOMS_NAME,
  AH_ROOMS_NO_CONNECTION,
  AH_ROOMS_NO_MEMBER,
  AH_ROOMS_NOT_FOUND,
  AH_ROOMS_OPTIONS,
} from 'fastify-ah-rooms'
import { startRedis, until } from 'fastify-ah-test-support'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `rooms-${prefixes}:` }
}

test('a room is made once, listed, and destroyed with its members, its history and its news', async (t) => {
  const prefix = fresh()
  const [one, two] = [await openRooms(redis.url, prefix, t), await openRooms(redis.url, prefix, t)]
  const { rooms } = one.app
  await rooms.add('lobby')
  await assert.rejects(two.app.rooms.add('lobby'), AH_ROOMS_EXISTS)
  await rooms.add('a room: with *, {braces} and 😀')
  assert.deepEqual(await two.app.rooms.list(), ['a room: with *, {braces} and 😀', 'lobby'])
  assert.equal(await two.app.rooms.exists('lobby'), true)
  const [ada, bob] = [await one.connect(), await two.connect()]
  for (const client of [ada, bob]) {
    const { data, status, recovered } = await client.request({ event: 'roomAdd', room: 'lobby' })
    assert.deepEqual({ data, status, recovered }, { data: true, status: 'OK', recovered: false })
  }
  await two.app.rooms.destroy('lobby')
  for (const client of [ada, bob]) {
    await until(() => client.messages.some(({ status, room }) => status === 'left' && room === 'lobby'))
    assert.deepEqual(client.said('lobby'), ['this room has been deleted'])
    const { data } = await client.request({ event: 'detailsView' })
    assert.deepEqual((data as { rooms: unknown }).rooms, [])
  }
  assert.equal(await rooms.exists('lobby'), false)
  await assert.rejects(rooms.roomStatus('lobby'), AH_ROOMS_NOT_FOUND)
  await assert.rejects(rooms.destroy('lobby'), AH_ROOMS_NOT_FOUND)
  await until(async () =>
    ((await redis.command('KEYS', `${prefix.prefix}room*lobby`)) as string[]).every((key) => /room-say/.test(key)),
  )
  await until(() => one.app.rooms.stats().rooms === 0)
})

test('what is said is heard by the members of that room alone, on all nodes, in one order', async (t) => {
  const prefix = { ...fresh(), startingRooms: ['lobby', 'other'], messageBurst: 1_000 }
  const [one, two] = [await openRooms(redis.url, prefix, t), await openRooms(redis.url, prefix, t)]
  const [ada, bob, eve] = [await one.connect(), await two.connect(), await two.connect()]
  for (const client of [ada, bob]) await client.request({ event: 'roomAdd', room: 'lobby' })
  await eve.request({ event: 'roomAdd', room: 'other' })
  const count = 200
  for (let index = 0; index < count; index += 1) {
    ada.send({ event: 'say', room: 'lobby', message: { ada: index } })
    bob.send({ event: 'say', room: 'lobby', message: { bob: index } })
  }
  await until(() => ada.said().length === 2 * count && bob.said().length === 2 * count)
  assert.deepEqual(ada.said(), bob.said())
  for (const name of ['ada', 'bob']) {
    const own = (ada.said() as Record<string, number>[]).flatMap((message) => message[name] ?? [])
    assert.deepEqual(
      own,
      Array.from({ length: count }, (_, index) => index),
    )
  }
  const heard = ada.messages.filter(({ context }) => context === 'user')
  for (const [index, { prev, id, from, sentAt, epoch }] of heard.entries()) {
    if (index > 0) assert.equal(prev, heard[index - 1]!['id'])
    assert.match(String(id), /^\d+-\d+$/)
    assert.ok(typeof from === 'string' && Math.abs(Date.now() - Number(sentAt)) < 60_000)
    assert.equal(epoch, heard[0]!['epoch'])
  }
  assert.deepEqual(eve.said(), [])
})

test('the verbs answer as in ActionHero, and refuse what makes no sense', async (t) => {
  const { app, connect } = await openRooms(redis.url, { ...fresh(), startingRooms: ['lobby'], maxRooms: 2 }, t)
  const client = await connect()
  assert.deepEqual(client.messages[0], { welcome: 'Welcome!', context: 'api' })
  const fails = async (message: Record<string, unknown>, code: string) => {
    const reply = await client.request(message)
    assert.equal(reply['code'], code, JSON.stringify(reply))
    assert.equal(reply['status'], reply['error'])
    assert.match(String(reply['error']), /^Error: /)
  }
  await fails({ event: 'roomAdd', room: 'nowhere' }, 'AH_ROOMS_NOT_FOUND')
  await fails({ event: 'roomAdd' }, 'AH_ROOMS_NAME')
  await fails({ event: 'roomLeave', room: 'lobby' }, 'AH_ROOMS_NO_MEMBER')
  await fails({ event: 'roomView', room: 'lobby' }, 'AH_ROOMS_NO_MEMBER')
  await fails({ event: 'say', room: 'lobby', message: 'hi' }, 'AH_ROOMS_NO_MEMBER')
  await fails({ event: 'nonsense' }, 'AH_ROOMS_VERB')
  await client.request({ event: 'roomAdd', room: 'lobby' })
  await fails({ event: 'roomAdd', room: 'lobby' }, 'AH_ROOMS_MEMBER')
  await fails({ event: 'say', room: 'lobby' }, 'AH_ROOMS_MESSAGE')
  const { data: details } = await client.request({ event: 'detailsView' })
  const { id, rooms, remoteIP } = details as Record<string, unknown>
  assert.deepEqual({ rooms, remoteIP }, { rooms: ['lobby'], remoteIP: '127.0.0.1' })
  const { data: view } = await client.request({ event: 'roomView', room: 'lobby' })
  const { members, ...status } = view as { members: Record<string, Record<string, unknown>> }
  assert.deepEqual(status, { room: 'lobby', membersCount: 1 })
  assert.deepEqual(Object.keys(members[String(id)]!), ['id', 'joinedAt'])
  assert.deepEqual(await app.rooms.roomStatus('lobby'), view)
  await app.rooms.add('second')
  await app.rooms.add('third')
  await client.request({ event: 'roomAdd', room: 'second' })
  await fails({ event: 'roomAdd', room: 'third' }, 'AH_ROOMS_TOO_MANY')
  assert.equal((await client.request({ event: 'roomLeave', room: 'lobby' }))['data'], true)
  assert.equal((await app.rooms.roomStatus('lobby')).membersCount, 0)
  client.send({ event: 'quit' })
  await until(() => client.closed?.code === 1000)
  await until(async () => (await app.rooms.roomStatus('second')).membersCount === 0)
})

test('[59] who says it, when, and its number cannot be forged; markup is data', async (t) => {
  const { connect } = await openRooms(redis.url, { ...fresh(), startingRooms: ['lobby'] }, t)
  const [liar, other] = [await connect(), await connect()]
  for (const client of [liar, other]) await client.request({ event: 'roomAdd', room: 'lobby' })
  const message = '</script><script>alert(1)</script>","from":"admin","id":"1-1","x":"'
  liar.send({ event: 'say', room: 'lobby', message, from: 'admin', sentAt: 1, id: '1-1', epoch: 'x', prev: 'y' })
  await until(() => other.said().length === 1)
  const { data } = await liar.request({ event: 'detailsView' })
  const heard = other.messages.find(({ context }) => context === 'user')!
  assert.equal(heard['message'], message)
  assert.equal(heard['from'], (data as { id: string }).id)
  assert.notEqual(heard['id'], '1-1')
  assert.ok(Number(heard['sentAt']) > 1_000_000)
  assert.deepEqual(Object.keys(heard), ['context', 'room', 'from', 'message', 'sentAt', 'id', 'prev', 'epoch'])
})

test('members, messages and disconnects reach a connection on whatever node it is', async (t) => {
  const prefix = { ...fresh(), startingRooms: ['lobby'], authorize: { connect: () => ({ user: 'ada' }) } }
  const [one, two] = [await openRooms(redis.url, prefix, t), await openRooms(redis.url, prefix, t)]
  const [phone, laptop] = [await one.connect(), await two.connect()]
  const idOf = async (client: typeof phone) =>
    ((await client.request({ event: 'detailsView' }))['data'] as { id: string }).id
  const id = await idOf(laptop)
  await one.app.rooms.addMember(id, 'lobby')
  await until(() => laptop.messages.some(({ status, room }) => status === 'joined' && room === 'lobby'))
  await assert.rejects(one.app.rooms.addMember(id, 'lobby'), { code: AH_ROOMS_MEMBER().code })
  assert.deepEqual(Object.keys((await one.app.rooms.roomStatus('lobby')).members), [id])
  await one.app.rooms.removeMember(id, 'lobby')
  await assert.rejects(one.app.rooms.removeMember(id, 'lobby'), { code: AH_ROOMS_NO_MEMBER('x').code })
  await one.app.rooms.send(id, { hello: 1 })
  await until(() => laptop.messages.some(({ message }) => JSON.stringify(message) === '{"hello":1}'))
  await assert.rejects(one.app.rooms.send('nobody', 1), AH_ROOMS_NO_CONNECTION)
  await one.app.rooms.to({ user: 'ada' }).emit('news', { n: 1 })
  for (const client of [phone, laptop]) await until(() => client.messages.some(({ event }) => event === 'news'))
  assert.equal(await two.app.rooms.disconnect({ user: 'ada' }, { code: 4001, reason: 'signed out' }), 2)
  for (const client of [phone, laptop]) {
    await until(() => client.closed !== undefined)
    assert.deepEqual(client.closed, { code: 4001, reason: 'signed out' })
  }
  assert.equal(await two.app.rooms.disconnect({ user: 'ada' }), 0)
})

test('events go both ways, with acknowledgements', async (t) => {
  const prefix = { ...fresh(), startingRooms: ['lobby'] }
  const [one, two] = [await openRooms(redis.url, prefix, t), await openRooms(redis.url, prefix, t)]
  one.app.rooms.on('double', (data) => Number(data) * 2)
  one.app.rooms.on('broken', () => {
    throw new Error('on purpose')
  })
  assert.throws(() => one.app.rooms.on('double', () => 1), AH_ROOMS_OPTIONS)
  const [ada, bob] = [await one.connect(), await two.connect()]
  assert.equal((await ada.request({ event: 'emit', name: 'double', data: 21 }))['data'], 42)
  assert.match(String((await ada.request({ event: 'emit', name: 'broken' }))['error']), /on purpose/)
  assert.equal((await ada.request({ event: 'emit', name: 'constructor' }))['code'], 'AH_ROOMS_VERB')
  for (const client of [ada, bob]) await client.request({ event: 'roomAdd', room: 'lobby' })
  await two.app.rooms.to('lobby').emit('cursor', { x: 1 })
  for (const client of [ada, bob]) {
    const heard = await until(() => client.messages.find(({ event }) => event === 'cursor'))
    assert.deepEqual(heard['data'], { x: 1 })
    assert.equal(heard['from'], '0')
  }
  bob.socket.on('message', (bytes) => {
    const { ackId, data } = JSON.parse(String(bytes)) as { ackId?: number; data: number }
    if (ackId !== undefined) bob.send({ event: 'ack', ackId, data: data + 1 })
  })
  const { data } = await bob.request({ event: 'detailsView' })
  const answers = await one.app.rooms.to('lobby').emitWithAck('count', 1, { timeoutMs: 500 })
  assert.deepEqual(answers, [{ from: (data as { id: string }).id, data: 2 }], 'ada does not answer')
})

test('clients without a socket talk to the same rooms', async (t) => {
  const { app } = await openRooms(redis.url, { ...fresh(), startingRooms: ['lobby'] }, t)
  const [ada, bob] = [await app.rooms.inject({ user: 'ada' }), await app.rooms.inject()]
  assert.equal(ada.connection.user, 'ada')
  for (const client of [ada, bob]) await client.request({ event: 'roomAdd', room: 'lobby' })
  assert.deepEqual(ada.connection.rooms, ['lobby'])
  const { id } = await ada.request({ event: 'say', room: 'lobby', message: 'hi' })
  const heard = await until(() => bob.messages.find(({ context }) => context === 'user'))
  assert.deepEqual([heard['message'], heard['from'], heard['id']], ['hi', ada.id, id])
  await ada.close()
  assert.equal((await app.rooms.roomStatus('lobby')).membersCount, 1)
  bob.connection.disconnect()
  assert.deepEqual(bob.closed, { code: 1000, reason: '' })
  await assert.rejects(app.rooms.broadcast(bob.connection, 'lobby', 'x'), AH_ROOMS_OPTIONS)
  await assert.rejects(app.rooms.broadcast(null, 'nowhere', 'x'), AH_ROOMS_NOT_FOUND)
  for (const name of [undefined, '', 'a\nb', 'a\0', 'x'.repeat(257), {}, 1, '\ud800']) {
    await assert.rejects(app.rooms.add(name as string), AH_ROOMS_NAME)
  }
})
