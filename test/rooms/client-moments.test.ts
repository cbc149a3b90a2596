// The client in moments that are rare and do happen: between a question and its answer, a connection and the next.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConnectOptions, connect, type RoomsClient } from 'fastify-ah-rooms/client'
import { type TestScope, until } from 'fastify-ah-test-support'
import { type FakeSocket, fakeSockets } from './fake-socket.ts'

interface Opened {
  readonly client: RoomsClient
  readonly sockets: FakeSocket[]
  readonly events: string[]
  /** The last, once there are so many. */
  socket(count: number): Promise<FakeSocket>
}

function open(t: TestScope, options: ConnectOptions = {}): Opened {
  const { WebSocket, sockets } = fakeSockets()
  const client = connect('ws://server.example/ah/ws', { WebSocket, minDelayMs: 5, timeoutMs: 2_000, ...options })
  t.after(() => client.close())
  const events: string[] = []
  for (const name of ['joined', 'left', 'disconnect', 'closed'] as const) {
    client.on(name, (event) => events.push(`${name} ${JSON.stringify(event)}`))
  }
  const socket = (count: number) => until(() => sockets[count - 1], { what: `attempt ${count}`, deadlineMs: 5_000 })
  return { client, sockets, events, socket }
}

const joined = { data: true, epoch: 'e', last: '5-0', recovered: false }
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a signal that aborts later changes nothing of a join that is done; one that has aborted joins nowhere', async (t) => {
  const { client, socket } = open(t)
  const first = await socket(1)
  first.open()
  const late = new AbortController()
  const join = client.join('lobby', { signal: late.signal })
  first.answer('roomAdd', joined)
  await join
  late.abort(new Error('too late'))
  assert.deepEqual(client.rooms, ['lobby'])
  await assert.rejects(client.join('other', { signal: AbortSignal.abort(new Error('no')) }), /no/)
  assert.deepEqual(client.rooms, ['lobby'])
  first.end(1006)
  const second = await socket(2)
  second.open()
  assert.deepEqual(second.sent[0]!['rooms'], { lobby: { epoch: 'e', last: '5-0' } })
})

test('leave and join at once: in, in the end; two who join share the answer, whoever gives up', async (t) => {
  const { client, socket } = open(t)
  const first = await socket(1)
  first.open()
  const once = client.join('lobby')
  first.answer('roomAdd', joined)
  await once
  const left = client.leave('lobby')
  const again = client.join('lobby')
  first.answer('roomLeave', { data: true })
  await left
  first.answer('roomAdd', joined)
  assert.deepEqual(await again, { recovered: false })
  assert.deepEqual(client.rooms, ['lobby'])

  const impatient = client.join('other', { timeoutMs: 20 })
  const patient = client.join('other')
  await assert.rejects(impatient, { code: 'AH_CLIENT_TIMEOUT' })
  first.answer('roomAdd', joined)
  await patient
  assert.deepEqual(client.rooms.sort(), ['lobby', 'other'])
})

test('a join that was given up is taken back, also when the server lets it in later', async (t) => {
  const { client, socket, events } = open(t)
  const first = await socket(1)
  first.open()
  await assert.rejects(client.join('lobby', { timeoutMs: 20 }), { code: 'AH_CLIENT_TIMEOUT' })
  assert.deepEqual(client.rooms, [])
  first.answer('roomAdd', joined)
  await until(() => first.sent.some(({ event }) => event === 'roomLeave'))
  first.answer('roomLeave', { data: true })
  await turn()
  assert.deepEqual(client.rooms, [])
  assert.deepEqual(events, [])
  // By the server, later: that is another matter.
  first.say({ context: 'api', status: 'joined', room: 'lobby', ...joined })
  assert.deepEqual(client.rooms, ['lobby'])
})

test('who is a member already is in; whom a middleware keeps stays in', async (t) => {
  const { client, socket } = open(t)
  const first = await socket(1)
  first.open()
  const join = client.join('lobby')
  first.answer('roomAdd', { status: 'Error: x', error: 'Error: x', code: 'AH_ROOMS_MEMBER' })
  assert.deepEqual(await join, { recovered: false })
  const leave = client.leave('lobby')
  first.answer('roomLeave', { status: 'Error: you stay', error: 'Error: you stay' })
  await assert.rejects(leave, /you stay/)
  assert.deepEqual(client.rooms, ['lobby'])
})

test('a server without its Redis makes nobody leave: the rooms are asked for again, less and less often', async (t) => {
  const { client, socket, events } = open(t)
  const first = await socket(1)
  first.open()
  const join = client.join('lobby')
  first.answer('roomAdd', joined)
  await join
  first.end(1012)
  for (const count of [2, 3, 4]) {
    const next = await socket(count)
    next.open()
    next.answer('resume', { data: { lobby: { error: 'Error: away', code: 'AH_KIT_REDIS_DOWN' } } })
  }
  const last = await socket(5)
  last.open()
  last.say({ context: 'api', status: 'joined', room: 'lobby', epoch: 'e', last: '5-0', recovered: true })
  last.answer('resume', { data: { lobby: { epoch: 'e', last: '5-0', recovered: true } } })
  await turn()
  assert.deepEqual(client.rooms, ['lobby'])
  assert.ok(
    events.every((event) => !event.startsWith('left')),
    events.join(),
  )
  // What is an answer is one.
  last.end(1012)
  const refusing = await socket(6)
  refusing.open()
  refusing.answer('resume', { data: { lobby: { error: 'Error: gone', code: 'AH_ROOMS_NOT_FOUND' } } })
  await until(() => events.at(-1)?.startsWith('left'))
  assert.deepEqual(client.rooms, [])
})

test('a connection or a token that never comes is given up; so is the hope of one that is thrown out at once', async (t) => {
  const mute = open(t, { timeoutMs: 30 })
  await mute.socket(3)
  assert.deepEqual(
    mute.sockets.slice(0, 2).map(({ closedBy }) => closedBy),
    [4000, 4000],
  )
  let asked = 0
  const token = () => {
    asked += 1
    return new Promise<string>(() => undefined)
  }
  const hanging = open(t, { timeoutMs: 30, token })
  await until(() => asked >= 3)
  assert.equal(hanging.sockets.length, 0)
  hanging.client.close()

  t.mock.method(Math, 'random', () => 1)
  const eager = open(t, { minDelayMs: 50, maxDelayMs: 60_000 })
  let at = performance.now()
  for (const [count, ms] of [0, 50, 100, 200, 400].entries()) {
    const socket = await eager.socket(count + 1)
    const waited = performance.now() - at
    assert.ok(waited > ms * 0.9, `attempt ${count + 1} after ${waited} ms`)
    at = performance.now()
    socket.open()
    socket.end(4000)
  }
  await assert.rejects(eager.client.details({ timeoutMs: 10 }), /closed with 4000/)
  eager.client.close()
})

test('a connection that ends without a word does not bear the reason of an attempt before it', async (t) => {
  const { socket, events } = open(t)
  const first = await socket(1)
  first.end(1006, 'refused')
  const second = await socket(2)
  second.open()
  second.end(1006)
  assert.deepEqual(events, ['disconnect {"code":1006,"reason":""}'])
})

test('what cannot work is said at once', () => {
  const { WebSocket } = fakeSockets()
  const refused = (what: RegExp) => (error: Error & { code?: string }) =>
    error.code === 'AH_CLIENT_OPTIONS' && what.test(error.message)
  assert.throws(() => connect('/ah/ws', { WebSocket }), refused(/\/ah\/ws/))
  assert.throws(() => connect('ftp://x', { WebSocket }), refused(/ftp/))
  assert.throws(() => connect('ws://x', { WebSocket, timeout: 3 } as never), refused(/timeout/))
  assert.throws(() => connect('ws://x', { WebSocket, maxDelayMs: -1 }), refused(/maxDelayMs/))
  if (!('WebSocket' in globalThis)) assert.throws(() => connect('ws://x'), refused(/package ws/))
  connect('ws://x', { WebSocket, timeoutMs: undefined } as never).close()
})

test('many rooms with long names come back in messages that a server takes', async (t) => {
  const { client, socket } = open(t)
  const first = await socket(1)
  first.open()
  const names = Array.from({ length: 100 }, (_, index) => `${'あ'.repeat(250)}${index}`)
  for (const room of names) first.say({ context: 'api', status: 'joined', room, ...joined })
  first.end(1012)
  const second = await socket(2)
  second.open()
  const resumed = second.sent.filter(({ event }) => event === 'resume')
  assert.deepEqual(resumed.flatMap(({ rooms }) => Object.keys(rooms as object)).sort(), [...names].sort())
  for (const message of resumed) assert.ok(Buffer.byteLength(JSON.stringify(message)) < 65_536)
  assert.ok(resumed.length <= 5)
  assert.equal(client.rooms.length, 100)
})
