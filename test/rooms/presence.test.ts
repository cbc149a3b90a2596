// Who is a member, whatever happens: processes that die, connections that race, Redis that is away or forgets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lifecycleOf } from 'fastify-ah-kit'
import type { MembershipChange } from 'fastify-ah-rooms'
import { random, scaled, spawnNode, startRedis, until } from 'fastify-ah-test-support'
import { openRooms, type RoomsApp } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `presence-${prefixes}:`, startingRooms: ['lobby'], leaseMs: 1_500 }
}

function changes({ app }: RoomsApp, what: 'join' | 'leave'): MembershipChange[] {
  const heard: MembershipChange[] = []
  app.rooms.on(what, (change) => void heard.push(change))
  return heard
}

const countOf = async ({ app }: RoomsApp, room = 'lobby') => (await app.rooms.roomStatus(room)).membersCount

test('[54] a process is killed: its members are out, and leave once', async (t) => {
  const prefix = fresh()
  const one = await openRooms(redis.url, prefix, t)
  const two = await openRooms(redis.url, prefix, t)
  const [left, alsoLeft] = [changes(one, 'leave'), changes(two, 'leave')]
  const own = await one.connect()
  await own.request({ event: 'roomAdd', room: 'lobby' })
  const members = scaled(500, 250)
  const file = new URL('./programs/members.js', import.meta.url)
  const env = { ROOMS_REDIS: redis.url, ROOMS_OPTIONS: JSON.stringify(prefix), ROOMS_MEMBERS: String(members) }
  const child = spawnNode(file, { env }, t)
  await child.waitForLine(/^all in$/)
  assert.equal(await countOf(one), members + 1)
  child.kill('SIGKILL')
  await until(async () => (await countOf(one)) === 1, { deadlineMs: 15_000 })
  await until(() => left.length + alsoLeft.length >= members)
  const ids = [...left, ...alsoLeft].map(({ connectionId }) => connectionId)
  assert.equal(ids.length, members)
  assert.equal(new Set(ids).size, members)
  assert.equal(left.concat(alsoLeft)[0]!.details['id'], left.concat(alsoLeft)[0]!.connectionId)
  // Nothing of it stays: neither a lease nor an index.
  await until(async () => ((await redis.command('KEYS', `${prefix.prefix}room-node:*`)) as unknown[]).length === 1)
  assert.equal(own.closed, undefined)
})

test('[54] the manager announces a death: the members are out at once, whatever the lease', async (t) => {
  const prefix = { ...fresh(), leaseMs: 60_000 }
  const one = await openRooms(redis.url, prefix, t)
  const left = changes(one, 'leave')
  const file = new URL('./programs/members.js', import.meta.url)
  const own = { ROOMS_REDIS: redis.url, ROOMS_OPTIONS: JSON.stringify(prefix), ROOMS_MEMBERS: '20' }
  const [child, other] = ['boot-a', 'boot-ab'].map((AH_BOOT_ID) => spawnNode(file, { env: { ...own, AH_BOOT_ID } }, t))
  await Promise.all([child, other].map((started) => started!.waitForLine(/^all in$/)))
  child!.kill('SIGKILL')
  await child!.exited
  lifecycleOf(one.app).announcePeerDeath({ bootId: 'boot-a', pid: child!.pid, cause: 'crashed' })
  await until(async () => (await countOf(one)) === 20)
  await until(() => left.length === 20)
  // The other's id only begins alike.
  await one.app.rooms.broadcast(null, 'lobby', 'still in')
  await other!.waitForLine(/^heard 20 still in$/)
})

test('[54] a process that was only stopped comes back: its members are in again, and hear', async (t) => {
  const prefix = fresh()
  const one = await openRooms(redis.url, prefix, t)
  const [left, joined] = [changes(one, 'leave'), changes(one, 'join')]
  const file = new URL('./programs/members.js', import.meta.url)
  const env = { ROOMS_REDIS: redis.url, ROOMS_OPTIONS: JSON.stringify(prefix), ROOMS_MEMBERS: '20' }
  const child = spawnNode(file, { env }, t)
  await child.waitForLine(/^all in$/)
  child.kill('SIGSTOP')
  await until(async () => (await countOf(one)) === 0, { deadlineMs: 15_000 })
  await until(() => left.length === 20)
  child.kill('SIGCONT')
  await until(async () => (await countOf(one)) === 20, { deadlineMs: 15_000 })
  await one.app.rooms.broadcast(null, 'lobby', 'welcome back')
  await child.waitForLine(/^heard 20 welcome back$/)
  // By nobody's second look.
  await new Promise((resolve) => setTimeout(resolve, prefix.leaseMs))
  assert.equal(await countOf(one), 20)
  assert.equal(left.length, 20)
  assert.equal(joined.length, 0, 'they join on their own node')
})

test('[11b] Redis is away longer than a lease: nobody leaves; a socket that closes meanwhile is out later', async (t) => {
  const own = await startRedis({}, t)
  const prefix = fresh()
  const [one, two] = [await openRooms(own.url, prefix, t), await openRooms(own.url, prefix, t)]
  const left = changes(two, 'leave')
  const [ada, bob] = [await one.connect(), await two.connect()]
  for (const client of [ada, bob]) await client.request({ event: 'roomAdd', room: 'lobby' })
  own.pause()
  ada.socket.terminate()
  await until(() => one.app.rooms.stats().connections === 0)
  // Time is the subject: away for longer than the lease.
  await new Promise((resolve) => setTimeout(resolve, prefix.leaseMs * 2))
  own.resume()
  await until(async () => (await countOf(two)) === 1, { deadlineMs: 20_000 })
  // Time is the subject: one more lease, in which somebody could leave wrongly.
  await new Promise((resolve) => setTimeout(resolve, prefix.leaseMs * 2))
  assert.equal(await countOf(two), 1)
  assert.deepEqual(left, [])
  await until(() => one.app.rooms.stats().rooms === 0)
})

test('Redis forgets everything: who was a member is told so, starting rooms are there again, and can be joined', async (t) => {
  const own = await startRedis({}, t)
  const one = await openRooms(own.url, fresh(), t)
  await one.app.rooms.add('passing')
  const ada = await one.connect()
  for (const room of ['lobby', 'passing']) await ada.request({ event: 'roomAdd', room })
  await own.command('FLUSHALL')
  for (const name of ['lobby', 'passing']) {
    await until(() => ada.messages.some(({ room, status }) => room === name && status === 'left'))
  }
  const { data } = await ada.request({ event: 'detailsView' })
  assert.deepEqual((data as { rooms: string[] }).rooms, [])
  assert.deepEqual(await one.app.rooms.list(), ['lobby'])
  assert.equal(await countOf(one), 0)
  await ada.request({ event: 'roomAdd', room: 'lobby' })
  await one.app.rooms.broadcast(null, 'lobby', 'again')
  await until(() => ada.said('lobby').includes('again'))
  assert.equal(await countOf(one), 1)
})

test('[55] join that throws: a member nowhere; leave that throws as the socket closes: freed', async (t) => {
  const { app, connect } = await openRooms(redis.url, fresh(), t)
  app.rooms.addMiddleware({
    name: 'broken',
    join: (connection) => {
      if (connection.request.headers['x-no']) throw undefined
    },
    leave: async () => {
      throw new Error('on purpose')
    },
  })
  const refused = await connect({ 'x-no': '1' })
  assert.match(String((await refused.request({ event: 'roomAdd', room: 'lobby' }))['error']), /^Error: /)
  assert.equal((await app.rooms.roomStatus('lobby')).membersCount, 0)
  assert.deepEqual(app.rooms.connections()[0]!.rooms, [])
  const client = await connect()
  await client.request({ event: 'roomAdd', room: 'lobby' })
  client.socket.terminate()
  await until(async () => (await app.rooms.roomStatus('lobby')).membersCount === 0)
  await until(() => app.rooms.stats().connections === 1)
})

test('[56] joins, leaves, disconnects, rooms made and destroyed at random: memory is what Redis holds', async (t) => {
  const prefix = { ...fresh(), maxRooms: 100, leaseMs: 9_000 }
  const nodes = [await openRooms(redis.url, prefix, t), await openRooms(redis.url, prefix, t)]
  const names = ['lobby', 'a', 'b', 'c']
  let [joined, left] = [0, 0]
  for (const { app } of nodes) {
    app.rooms.on('join', () => {
      joined += 1
    })
    app.rooms.on('leave', () => {
      left += 1
    })
  }
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const clients = await Promise.all(Array.from({ length: 12 }, (_, index) => nodes[index % 2]!.app.rooms.inject()))
  const under: Promise<unknown>[] = []
  const turns = scaled(10_000, 1_500)
  for (let turn = 0; turn < turns; turn += 1) {
    const place = Math.floor(random() * clients.length)
    const dice = random()
    const room = pick(names)
    const { rooms } = pick(nodes).app
    if (dice < 0.5) under.push(clients[place]!.request({ event: 'roomAdd', room }).catch(expected))
    else if (dice < 0.75) under.push(clients[place]!.request({ event: 'roomLeave', room }).catch(expected))
    else if (dice < 0.85) under.push(rooms.add(room).catch(expected))
    else if (dice < 0.9) under.push(rooms.destroy(room).catch(expected))
    else if (dice < 0.95) under.push(rooms.broadcast(null, room, turn).catch(expected))
    else {
      void clients[place]!.close()
      clients[place] = await nodes[place % 2]!.app.rooms.inject()
    }
    if (turn % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(under)
  for (const name of names) {
    const here = () =>
      nodes.flatMap(({ app }) => app.rooms.connections().flatMap(({ id, rooms }) => (rooms.includes(name) ? [id] : [])))
    const there = async () => (await redis.command('HKEYS', `${prefix.prefix}roomMembers-${name}`)) as string[]
    await until(async () => JSON.stringify(here().sort()) === JSON.stringify((await there()).sort()), {
      what: `${name}: ${here().length} here`,
    })
    if (!(await nodes[0]!.app.rooms.exists(name))) assert.deepEqual(await there(), [])
    // Who is a member hears.
    if (here().length === 0) continue
    const id = await nodes[0]!.app.rooms.broadcast(null, name, 'the end')
    await until(() =>
      clients
        .filter(({ connection }) => connection.rooms.includes(name))
        .every(({ messages }) => messages.some((message) => message['id'] === id && message['room'] === name)),
    )
  }
  assert.equal(joined - left, nodes.flatMap(({ app }) => app.rooms.connections().flatMap(({ rooms }) => rooms)).length)
})

/** What may well be: the room is there, or is not, or the client was closed meanwhile. */
function expected(error: Error & { code?: string }): void {
  if (!['AH_ROOMS_NOT_FOUND', 'AH_ROOMS_EXISTS', 'AH_ROOMS_CLOSED'].includes(String(error.code))) throw error
}
