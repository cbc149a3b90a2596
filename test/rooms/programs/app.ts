// An app of the cluster's tests: the rooms, as ROOMS_OPTIONS says.
import type { FastifyInstance } from 'fastify'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { fastifyAhRooms, type RoomsOptions } from 'fastify-ah-rooms'

const options = JSON.parse(process.env['ROOMS_OPTIONS'] ?? '{}') as RoomsOptions

export default async function app(instance: FastifyInstance): Promise<void> {
  await instance.register(fastifyAhPubsub, { prefix: options.prefix ?? 'actionhero:' })
  await instance.register(fastifyAhRooms, options)
  instance.rooms.on('connection', ({ id }) => instance.log.debug({ id }, 'a client came'))
}
