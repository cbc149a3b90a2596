// The chat: who may come in under which name, what may be said, and what is written beside each line.
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import fastifyAhRooms from 'fastify-ah-rooms'
import { nameIn } from './name.js'

const lobby = 'lobby'
const mostCharacters = 500
// From one attempt to connect to its answer.
const tokenMs = 60_000

/** `POST /chat/tokens`, the websocket at `/ah/ws` and its client at `/ah/client.js`, for the app's own scope. */
export async function chat(app) {
  const worker = { id: app.cluster.id, pid: process.pid }
  const tokenKey = (token) => `chat-token:${token}`

  await app.register(fastifyAhRooms, {
    startingRooms: [lobby],
    // Little, so that one can see what becomes of a page that was away for longer.
    historySize: 100,
    generateMemberDetails: ({ data }) => ({ name: data.name, worker }),
    sanitizeMemberDetails: ({ name, worker }) => ({ name, worker }),
    authorize: {
      // Saved by whichever worker was asked for it, loaded by the one that is connected to.
      connect: async ({ url }) => {
        const token = new URL(url, 'http://localhost').searchParams.get('token')
        const known = token === null ? undefined : await app.cache.get(tokenKey(token))
        return known === undefined ? false : { user: known.name, data: { name: known.name } }
      },
      join: (_connection, room) => room === lobby,
      say: (_connection, _room, line) => isLine(line),
    },
  })

  // Who it is says the server. The key is the page's: by it a page knows its own line, and one that came twice.
  app.rooms.addMiddleware({
    name: 'who and where',
    onSayReceive: (connection, _room, said) => {
      const { text, key } = said.message
      return { ...said, message: { text, key, name: connection.data.name, worker } }
    },
  })

  // In one order with the lines: who hears it asks who is there.
  for (const change of ['join', 'leave']) {
    app.rooms.on(change, ({ room, details }) => app.rooms.to(room).emit('members', { [change]: details.name }))
  }

  app.post('/chat/tokens', { schema: { body: nameOnly } }, async ({ body }, reply) => {
    const { name, refusal } = nameIn(body.name)
    if (refusal !== undefined) return reply.code(400).send({ message: refusal })
    const token = randomUUID()
    await app.cache.save(tokenKey(token), { name }, tokenMs)
    return { token, name }
  })
}

const nameOnly = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }

function isLine(line) {
  const { text, key } = typeof line === 'object' && line !== null ? line : {}
  return isText(text, mostCharacters) && isText(key, 64)
}

function isText(value, most) {
  return typeof value === 'string' && value.trim() !== '' && value.length <= most
}
