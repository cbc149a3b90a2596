// A consumer of fastify-ah-kit, the author of a plugin: what its types promise, and what they refuse.
import Fastify from 'fastify'
import { defineOptions, Loop, lifecycleOf, TickBatch, toError } from 'fastify-ah-kit'
import { AH_KIT_REDIS_DOWN, KeySpace, type RedisOption, redisOptionSchema } from 'fastify-ah-kit/redis'

interface Options {
  readonly everyMs: number
  readonly redis?: RedisOption
}

const options = defineOptions<Options>({
  package: 'mine',
  properties: { everyMs: { description: 'pause', type: 'integer', default: 100 }, redis: redisOptionSchema },
})
const everyMs: number = options.parse({}).everyMs
// @ts-expect-error: a schema says what it is for
defineOptions<Options>({ package: 'mine', properties: { everyMs: { type: 'integer' } } })

const batch = new TickBatch<string, number>({
  name: 'lengths',
  send: async (items) => items.map((item) => item.length),
})
const length: number = await batch.add('four')
lifecycleOf(Fastify()).onDrain('mine', () => batch.close(), 1_000)
const error: Error = toError('text')
const isDown: boolean = error instanceof AH_KIT_REDIS_DOWN

export { everyMs, isDown, KeySpace, Loop, length }
