// Members between a wish and its answer: who leaves while Redis is away, and who joins while the node is taken for dead.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { openRooms } from './open-rooms.ts'

const dist = '../../../packages/rooms/dist'
const { LiveRoom } = (await import(
  new URL(`${dist}/live-room.js`, import.meta.url).href
)) as typeof import('../../packages/rooms/dist/live-room.js')
const { Membership } = (await import(
  new URL(`${dist}/membership.js`, import.meta.url).href
)) as typeof import('../../packages/rooms/dist/membership.js')
const { Connection } = (await import(
  new URL(`${dist}/connection.js`, import.meta.url).href
)) as typeof import('../../packages/rooms/dist/connection.js')

const redis = await startRedis({}, test)

/** A node, with a Redis that can be away for some of its rooms. */
function open() {
  const members = new Map<string, string>()
  const state = { away: [] as string[], node: 'n', holders: 0, former: 0, onWish: () => undefined as unknown }
  const log = { debug: () => undefined, error: (what: unknown) => assert.fail(String(what)) } as never
  const rooms = new Map<string, InstanceType<typeof LiveRoom>>()
  const open = (name: string) =>
    new LiveRoom({
      name,
      store: {
        change: async (_, wishes) => {
          await state.onWish()
          if (state.away.includes(name)) throw new Error('away')
          for (const { what, id, details } of wishes) {
            if (what === 'join') members.set(`${name} ${id}`, details)
            if (what === 'leave') members.delete(`${name} ${id}`)
          }
          return wishes.map(() => ({ epoch: 'e', last: '0-0', missed: undefined, isNew: true }))
        },
      },
      log,
      deliver: () => undefined,
      onGap: () => undefined,
      onGone: () => undefined,
      onStrange: () => undefined,
    })
  const membership = new Membership({
    live: {
      find: (name: string) => rooms.get(name),
      hold: async (name: string) => {
        state.holders += 1
        rooms.set(name, rooms.get(name) ?? open(name))
        return rooms.get(name)
      },
      release: () => {
        state.holders -= 1
      },
    } as never,
    middlewares: { runJoin: async () => undefined, runLeave: async () => undefined } as never,
    events: { emit: () => undefined } as never,
    index: {
      get id() {
        return state.node
      },
      markOf: (node: string) => `{"node":"${node}",`,
    },
    exists: async () => true,
    authorize: {},
    generateMemberDetails: undefined,
    maxRooms: 10,
    onFormer: () => {
      state.former += 1
    },
    log,
  })
  const outlet = { push: () => undefined, close: () => undefined, drained: async () => undefined, fits: () => true }
  const request = { headers: {}, url: '/', ip: '127.0.0.1' }
  const connection = new Connection({ request, identified: {}, outlet })
  return { membership, members, state, connection }
}

test('who has left while Redis was away and is back before Redis was told of that stays a member', async () => {
  const { membership, members, state, connection } = open()
  await membership.join(connection, 'lobby')
  state.away = ['lobby', 'second']
  await assert.rejects(membership.leave(connection, 'lobby'), /away/)
  assert.equal(membership.isOwing, true)
  state.away = []
  await membership.join(connection, 'lobby')
  await membership.pay()
  assert.deepEqual([...members.keys()], [`lobby ${connection.id}`])
  assert.equal(membership.isOwing, false)
  assert.equal(state.holders, 1)
  // Out again, with the old debt forgiven: told at once.
  await membership.leave(connection, 'lobby')
  assert.deepEqual([members.size, state.holders], [0, 0])
})

test('a debt of one room that cannot be paid keeps none of the others from being paid', async () => {
  const { membership, members, state, connection } = open()
  await membership.join(connection, 'lobby')
  await membership.join(connection, 'second')
  state.away = ['lobby', 'second']
  for (const room of ['lobby', 'second']) await membership.leave(connection, room).catch(() => undefined)
  state.away = ['lobby']
  await assert.rejects(membership.pay(), /away/)
  assert.deepEqual([...members.keys()], [`lobby ${connection.id}`])
  state.away = []
  await membership.pay()
  assert.deepEqual([members.size, state.holders, membership.isOwing], [0, 0, false])
})

test('whose join was under way while the node got another id is told to Redis under that', async () => {
  const { membership, members, state, connection } = open()
  state.onWish = () => {
    state.node = 'n~1'
  }
  await membership.join(connection, 'lobby')
  assert.match(String(members.get(`lobby ${connection.id}`)), /"node":"n"/)
  assert.equal(state.former, 1)
})

test('middleware hears of no room that there is not; a room that clients make up is not listened to', async (t) => {
  const { app, connect } = await openRooms(redis.url, { prefix: 'membership-1:', startingRooms: ['lobby'] }, t)
  const asked: string[] = []
  app.rooms.addMiddleware({ name: 'note', join: (_, room) => void asked.push(room) })
  const client = await connect()
  const before = await subscriptions()
  assert.equal((await client.request({ event: 'roomAdd', room: 'made up' }))['code'], 'AH_ROOMS_NOT_FOUND')
  assert.equal((await client.request({ event: 'roomAdd', room: 'lobby' }))['data'], true)
  assert.deepEqual(asked, ['lobby'])
  assert.equal((await subscriptions()) - before, 1)

  async function subscriptions(): Promise<number> {
    const stats = String(await redis.command('INFO', 'commandstats'))
    return Number(/cmdstat_s?subscribe:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }
})

test('the details of members may take their time, as in ActionHero', async (t) => {
  const { app, connect } = await openRooms(
    redis.url,
    {
      prefix: 'membership-2:',
      startingRooms: ['lobby'],
      generateMemberDetails: async ({ user }) => ({ name: user ?? 'nobody', age: 7 }),
      sanitizeMemberDetails: async ({ name }) => ({ name }),
    },
    t,
  )
  const client = await connect()
  await client.request({ event: 'roomAdd', room: 'lobby' })
  assert.deepEqual(Object.values((await app.rooms.roomStatus('lobby')).members), [{ name: 'nobody' }])
})

test('who was thrown out while it was decided whether it may say that has not said it', async (t) => {
  let isAsked = false
  let decide: (is: boolean) => void = () => undefined
  const { app, connect } = await openRooms(
    redis.url,
    {
      prefix: 'membership-3:',
      startingRooms: ['lobby'],
      authorize: {
        say: () =>
          new Promise((resolve) => {
            isAsked = true
            decide = resolve
          }),
      },
    },
    t,
  )
  const [ada, bob] = [await connect(), await connect()]
  for (const client of [ada, bob]) await client.request({ event: 'roomAdd', room: 'lobby' })
  const reply = ada.request({ event: 'say', room: 'lobby', message: 'too late' })
  await until(() => isAsked)
  const { data } = await bob.request({ event: 'detailsView' })
  const other = app.rooms.connections().find(({ id }) => id !== (data as { id: string }).id)!
  await app.rooms.removeMember(other.id, 'lobby')
  decide(true)
  assert.equal((await reply)['code'], 'AH_ROOMS_NO_MEMBER')
  await app.rooms.broadcast(null, 'lobby', 'the end')
  await until(() => bob.said().includes('the end'))
  assert.deepEqual(bob.said(), ['the end'])
})
