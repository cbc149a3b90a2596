// A consumer of fastify-ah-rooms: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRoomsDefault, {
  type Authorize,
  fastifyAhRooms,
  type RoomMiddleware,
  type RoomsOptions,
} from 'fastify-ah-rooms'
import { connect } from 'fastify-ah-rooms/client'
import plugin from 'fastify-ah-rooms/plugin'

declare module 'fastify-ah-rooms/client' {
  interface AhRooms {
    messages: { lobby: { text: string } }
    events: { double: { data: number; ack: number } }
    actions: { sum: { params: { terms: number[] }; reply: { sum: number } } }
  }
}

const authorize: Authorize = {
  connect: async ({ headers }) => (headers.cookie === undefined ? false : { user: 'ada' }),
  join: (connection, room) => connection.user !== undefined && room !== 'secret',
  // @ts-expect-error: an answer is true or false
  say: (_connection, _room, message) => message,
}
const options: RoomsOptions = {
  authorize,
  origins: ['https://shop.example'],
  maxRooms: 3,
  generateMemberDetails: async ({ user }) => ({ user }),
  sanitizeMemberDetails: ({ user }) => ({ user }),
}
const middleware: RoomMiddleware = {
  name: 'shout',
  onSayReceive: (_connection, _room, message) => ({ ...message, message: `${message.message}!` }),
  say: (connection, _room, message) => (connection.id === message.from ? null : message),
}
const app = Fastify()
await app.register(fastifyAhPubsub)
await app.register(fastifyAhRooms, options)
await app.register(fastifyAhRoomsDefault, { decorator: 'second', path: '/second', prefix: 'second:' })
await app.register(plugin, { decorator: 'third', path: '/third', prefix: 'third:' })
// @ts-expect-error: there is no such option
await app.register(fastifyAhRooms, { mount: '/fourth' })
app.get('/sum', { config: { action: 'sum', servers: ['websocket'] } }, async () => ({ sum: 3 }))

export async function talk(): Promise<string | undefined> {
  app.rooms.addMiddleware(middleware)
  app.rooms.on('join', ({ room, connectionId }) => app.log.info({ room, connectionId }))
  app.rooms.on('double', (data, connection) => [connection.user, Number(data) * 2])
  await app.rooms.add('lobby')
  const { membersCount } = await app.rooms.roomStatus('lobby')
  await app.rooms.to({ user: 'ada' }).emit('news', { membersCount })
  const [answer] = await app.rooms.to('lobby').emitWithAck('well?', 1, { timeoutMs: 100 })
  return app.rooms.broadcast(null, 'lobby', answer?.data ?? 'hi')
}

export async function chat(): Promise<number> {
  const client = connect('ws://localhost/ah/ws', { token: async () => 'secret' })
  await client.join('lobby', { signal: AbortSignal.timeout(100) })
  const id: string | undefined = await client.say('lobby', { text: 'hi' })
  // @ts-expect-error: a message of the lobby has a text
  await client.say('lobby', { txt: id })
  await client.say('elsewhere', id)
  const { sum } = await client.action('sum', { terms: [1, 2] })
  return sum + (await client.emit('double', sum))
}
