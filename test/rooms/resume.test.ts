// Who was away: what was missed comes in order and once, or it is said that nobody knows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { random, scaled, startRedis, until } from 'fastify-ah-test-support'
import { type Client, openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `resume-${prefixes}:`, startingRooms: ['lobby'], messageBurst: 1_000 }
}

interface Position {
  readonly epoch: unknown
  readonly last: unknown
}

/** Up to where a client has heard. */
function positionOf(client: Client): Position {
  const heard = client.messages.filter(({ context, epoch }) => context === 'user' && epoch !== undefined).at(-1)
  if (heard !== undefined) return { epoch: heard['epoch'], last: heard['id'] }
  const { epoch, last } = client.messages.find(({ recovered }) => recovered !== undefined)!
  return { epoch, last }
}

test('[57] who comes back with a position gets what was missed, once, in order, then what is new', async (t) => {
  // At full scale more is missed than is kept by default.
  const prefix = { ...fresh(), historySize: 10_000, maxUnsentBytes: 4_194_304 }
  const [one, two] = [await openRooms(redis.url, prefix, t), await openRooms(redis.url, prefix, t)]
  const { rooms } = one.app
  const first = await one.connect()
  await first.request({ event: 'roomAdd', room: 'lobby' })
  await rooms.broadcast(null, 'lobby', 0)
  await until(() => first.said().length === 1)
  first.socket.terminate()
  const count = scaled(2_000, 100)
  for (let index = 1; index <= count; index += 1) await rooms.broadcast(null, 'lobby', index)
  const talking = (async () => {
    for (let index = count + 1; index <= 2 * count; index += 1) await rooms.broadcast(null, 'lobby', index)
  })()
  // Two, 50 ms apart, on another node, while it goes on.
  const back: Client[] = []
  for (const _ of [1, 2]) {
    const client = await two.connect()
    const { recovered } = await client.request({ event: 'roomAdd', room: 'lobby', heard: positionOf(first) })
    assert.equal(recovered, true)
    back.push(client)
    // Time is the subject: two that come back 50 ms apart.
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await talking
  const all = Array.from({ length: 2 * count }, (_, index) => index + 1)
  for (const client of back) {
    await until(() => client.said().length >= all.length)
    assert.deepEqual(client.said(), all)
    // Nothing of the room came before the answer.
    const reply = client.messages.findIndex(({ recovered }) => recovered !== undefined)
    assert.ok(reply < client.messages.findIndex(({ context }) => context === 'user'))
  }
})

test('[57] the last one heard is the last one said: nothing was missed, also much later', async (t) => {
  const { app, connect } = await openRooms(redis.url, { ...fresh(), historyMs: 50 }, t)
  const client = await connect()
  const { epoch, last } = await client.request({ event: 'roomAdd', room: 'lobby' })
  // Nothing was ever said.
  assert.equal(last, '0-0')
  const again = await connect()
  assert.equal((await again.request({ event: 'roomAdd', room: 'lobby', heard: { epoch, last } }))['recovered'], true)
  await app.rooms.broadcast(null, 'lobby', 'hi')
  await until(() => client.said().length === 1)
  // Time is the subject: twice as long as the history is kept.
  await new Promise((resolve) => setTimeout(resolve, 100))
  const late = await connect()
  const { recovered } = await late.request({ event: 'roomAdd', room: 'lobby', heard: positionOf(client) })
  assert.equal(recovered, true)
  assert.deepEqual(late.said(), [])
})

test('[57] beyond what is kept, of another life of the room, or never said: not recovered, and nothing comes', async (t) => {
  const prefix = fresh()
  const { app, connect } = await openRooms(redis.url, { ...prefix, historySize: 10, maxUnsentBytes: 50_000 }, t)
  const { rooms } = app
  const client = await connect()
  await client.request({ event: 'roomAdd', room: 'lobby' })
  await rooms.broadcast(null, 'lobby', 'first')
  await until(() => client.said().length === 1)
  const { epoch, last } = positionOf(client)
  const comesBack = async (heard: object) => {
    const again = await connect()
    const reply = await again.request({ event: 'roomAdd', room: 'lobby', heard })
    assert.equal(reply['error'], undefined)
    await rooms.broadcast(null, 'lobby', 'after')
    await until(() => again.said().length > 0)
    const said = again.said()
    again.socket.terminate()
    return { recovered: reply['recovered'], missed: said.slice(0, -1) }
  }
  const nothing = { recovered: false, missed: [] }
  assert.deepEqual(await comesBack({ epoch, last: `${Number(String(last).split('-')[0]) + 1_000_000}-0` }), nothing)
  assert.deepEqual(await comesBack({ epoch, last: '1-0' }), nothing)
  assert.deepEqual(await comesBack({ epoch: 'another', last }), nothing)
  assert.deepEqual(await comesBack({ epoch, last: 'nonsense' }), nothing)
  assert.deepEqual((await comesBack({ epoch, last })).recovered, true)
  // More than a reader may be behind.
  for (let index = 0; index < 6; index += 1) await rooms.broadcast(null, 'lobby', 'x'.repeat(10_000))
  assert.deepEqual(await comesBack({ epoch, last }), nothing)
  for (let index = 0; index < 300; index += 1) await rooms.broadcast(null, 'lobby', index)
  assert.deepEqual(await comesBack({ epoch, last }), nothing)
  // As after a failover to a server that had not heard of the last messages.
  await rooms.broadcast(null, 'lobby', 'not replicated')
  await until(() => client.said().includes('not replicated'))
  const ahead = positionOf(client)
  const recent = { last: client.messages.at(-1)!['prev'] }
  await redis.command('XDEL', `${prefix.prefix}room-history:lobby`, String(ahead.last))
  await redis.command('HSET', `${prefix.prefix}room-meta:lobby`, 'last', String(recent.last))
  assert.deepEqual(await comesBack(ahead), nothing)
  await rooms.destroy('lobby')
  await rooms.add('lobby')
  assert.deepEqual(await comesBack(ahead), nothing)
})

test('a client that says at once where it was is back in all its rooms', async (t) => {
  const prefix = { ...fresh(), startingRooms: ['a', 'b', 'c'] }
  const { app, connect } = await openRooms(redis.url, prefix, t)
  const client = await connect()
  const rooms: Record<string, object> = {}
  for (const room of prefix.startingRooms) {
    const { epoch, last } = await client.request({ event: 'roomAdd', room })
    rooms[room] = { epoch, last }
  }
  client.socket.terminate()
  for (const room of prefix.startingRooms) await app.rooms.broadcast(null, room, `in ${room}`)
  await app.rooms.destroy('c')
  const back = await connect()
  const { data } = await back.request({ event: 'resume', rooms: { ...rooms, b: {} } })
  const { a, b, c } = data as Record<string, Record<string, unknown>>
  assert.deepEqual([a!['recovered'], b!['recovered'], c!['code']], [true, false, 'AH_ROOMS_NOT_FOUND'])
  await until(() => back.said('a').length === 1)
  assert.deepEqual(back.said(), ['in a'])
  assert.equal(back.messages.filter(({ status }) => status === 'joined').length, 2)
})

test('[57] Redis is away for a moment, again and again: members who stay hear all, in order, or of a gap', async (t) => {
  const own = await startRedis({}, t)
  const prefix = { prefix: 'cut:', startingRooms: ['lobby'] }
  const [one, two] = [await openRooms(own.url, prefix, t), await openRooms(own.url, prefix, t)]
  const clients = [await one.connect(), await two.connect()]
  for (const client of clients) await client.request({ event: 'roomAdd', room: 'lobby' })
  let number = 0
  const said: number[] = []
  let isOver = false
  const talking = (async () => {
    while (!isOver) {
      number += 1
      const own = number
      await one.app.rooms.broadcast(null, 'lobby', own).then(
        () => void said.push(own),
        () => undefined,
      )
      // Time is the subject: messages all the while, before and after each cut.
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  for (let round = 0; round < scaled(60, 4); round += 1) {
    // Time is the subject: cuts at any instant.
    await new Promise((resolve) => setTimeout(resolve, 50 + random() * 150))
    await own.command('CLIENT', 'KILL', 'TYPE', round % 2 === 0 ? 'pubsub' : 'normal')
  }
  isOver = true
  await talking
  await one.app.rooms.broadcast(null, 'lobby', 'end')
  for (const client of clients) {
    await until(() => client.said().includes('end'), { deadlineMs: 20_000 })
    const heard = client.said().filter((message) => message !== 'end') as number[]
    assert.deepEqual(
      heard,
      [...new Set(heard)].sort((a, b) => a - b),
      'none twice, in order',
    )
    assert.deepEqual(
      said.filter((message) => !heard.includes(message)),
      [],
    )
    assert.ok(!client.messages.some(({ status }) => status === 'gap'))
  }
})
