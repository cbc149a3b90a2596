// Owns the two sides of the contract: the embedded store and a real Redis, each with clients of both protocols.
import { type EmbeddedStore, startEmbeddedStore } from 'fastify-ah-embedded'
import { atEnd, startRedis, type TestScope, tempDir } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import type { Argument } from './expected.ts'

/** One of the two, as the contract talks to it. */
export interface Side {
  readonly name: string
  /** A client, closed at the end of the test. */
  client(protocol?: 2 | 3): Redis
}

/** An embedded store in a folder of its own, closed at the end of the test. */
export async function openStore(scope: TestScope): Promise<EmbeddedStore> {
  const store = await startEmbeddedStore({ directory: tempDir(scope).path })
  atEnd(scope, () => store.close())
  return store
}

/** A client of the store with ioredis' own defaults, closed at the end of the test. */
export function connect(store: EmbeddedStore, scope: TestScope): Redis {
  const client = new Redis(store.url)
  atEnd(scope, () => client.disconnect())
  return client
}

export async function embeddedSide(scope: TestScope): Promise<Side> {
  const store = await openStore(scope)
  const client = (protocol: 2 | 3 = 3) => {
    const opened = new Redis(store.url, { protocol })
    atEnd(scope, () => opened.disconnect())
    return opened
  }
  return { name: 'the embedded store', client }
}

export async function redisSide(scope: TestScope): Promise<Side> {
  const server = await startRedis({}, scope)
  return { name: 'Redis', client: (protocol: 2 | 3 = 3) => server.client({ protocol }) }
}

/** The reply, texts as latin1, an error reply as an Error. */
export async function replyOf(client: Redis, command: readonly [string, ...Argument[]]): Promise<unknown> {
  const [name, ...args] = command
  try {
    return decoded(await client.callBuffer(name, ...args))
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error
    return error
  }
}

function decoded(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1')
  return Array.isArray(reply) ? reply.map(decoded) : reply
}
