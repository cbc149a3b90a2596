// A process with members of a room, which says when all of them have heard something.
import fastify from 'fastify'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { fastifyAhRooms, type RoomsOptions } from 'fastify-ah-rooms'

const { ROOMS_REDIS = '', ROOMS_OPTIONS = '{}', ROOMS_MEMBERS = '1' } = process.env
const options = JSON.parse(ROOMS_OPTIONS) as RoomsOptions

const app = fastify()
await app.register(fastifyAhPubsub, { redis: ROOMS_REDIS, prefix: options.prefix ?? 'actionhero:' })
await app.register(fastifyAhRooms, { ...options, redis: ROOMS_REDIS })
await app.ready()
const clients = await Promise.all(Array.from({ length: Number(ROOMS_MEMBERS) }, () => app.rooms.inject()))
await Promise.all(clients.map((client) => client.request({ event: 'roomAdd', room: 'lobby' })))
console.log('all in')

const told = new Set<unknown>()
setInterval(() => {
  const last = clients[0]!.messages.findLast(({ context }) => context === 'user')?.['message']
  if (last === undefined || told.has(last)) return
  const heard = clients.filter(({ messages }) => messages.some(({ message }) => message === last)).length
  if (heard < clients.length) return
  told.add(last)
  console.log(`heard ${heard} ${last}`)
}, 20)
