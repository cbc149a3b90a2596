// Owns transports as the contract opens them, with what they said.
import fastify from 'fastify'
import { type RedisConnection, type RedisOption, redisFor } from 'fastify-ah-kit/redis'
import { atEnd, type TestScope } from 'fastify-ah-test-support'
import type { RedisTransport } from '../../packages/pubsub/dist/transport/redis-transport.js'
import { internal } from './internal.ts'

const module =
  await internal<typeof import('../../packages/pubsub/dist/transport/redis-transport.js')>('transport/redis-transport')

/** One end of the wire. */
export interface OpenTransport {
  readonly transport: RedisTransport
  readonly connection: RedisConnection
  /** What was heard, as `name text`, where the name is a pattern's as `name channel text`. */
  readonly heard: string[]
  /** What was told of gaps. */
  readonly gaps: { readonly names: readonly string[]; readonly reason: string }[]
}

export interface TransportOptions {
  readonly redis?: RedisOption
  readonly isSharded?: boolean
  readonly probeMs?: number
  readonly deadlineMs?: number
}

/** On a connection of its own, closed at the end of the test. */
export async function openTransport(options: TransportOptions, scope: TestScope): Promise<OpenTransport> {
  const { redis, isSharded = false, probeMs = 50, deadlineMs } = options
  const app = fastify()
  atEnd(scope, () => app.close())
  const connection = await redisFor(app, { owner: 'pubsub', redis, deadlineMs })
  const heard: string[] = []
  const gaps: OpenTransport['gaps'] = []
  const transport = new module.RedisTransport({
    connection,
    log: app.log,
    isSharded,
    probeMs,
    probePrefix: 'probe:',
    onBytes: (name, channel, bytes) => heard.push([...new Set([name, channel]), bytes.toString()].join(' ')),
    onGap: (names, reason) => gaps.push({ names: [...names].sort(), reason }),
  })
  atEnd(scope, () => transport.close())
  return { transport, connection, heard, gaps }
}
