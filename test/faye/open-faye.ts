// Owns apps with faye, and faye's own clients to them, as the tests open them.
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { type FayeOptions, fastifyAhFaye } from 'fastify-ah-faye'
import type { RedisOption } from 'fastify-ah-kit/redis'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { atEnd, type TestScope } from 'fastify-ah-test-support'
import faye, { type Client } from 'faye'

/** A listening app, and what it wrote to its log. */
export interface FayeApp {
  readonly app: FastifyInstance
  readonly port: number
  readonly url: string
  readonly lines: string[]
}

/** Both plugins on one Redis, listening on a free port; closed at the end of the test. */
export async function openFaye(redis: RedisOption, options: FayeOptions, scope: TestScope): Promise<FayeApp> {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const app = fastify({ logger: { level: 'debug', stream } })
  atEnd(scope, () => app.close())
  const { prefix = 'actionhero:', serverToken } = options
  const token = serverToken === undefined ? {} : { serverToken }
  await app.register(fastifyAhPubsub, { redis, prefix, ...token })
  await app.register(fastifyAhFaye, { redis, ...options })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { app, port, url: `http://127.0.0.1:${port}/faye`, lines }
}

/** How a client connects. */
export type Transport = 'websocket' | 'long-polling'

export const transports: readonly Transport[] = ['websocket', 'long-polling']

/** faye's client, unmodified, that uses one transport alone; ends with the test. */
export function openClient(url: string, transport: Transport, scope: TestScope): Client {
  let isOver = false
  // What it cannot say to a server that is gone it would try to say for ever, and the process would not end.
  class UntilTestEnds extends faye.Scheduler {
    override isDeliverable(): boolean {
      return !isOver && super.isDeliverable()
    }
  }
  const client = new faye.Client(url, { retry: 0.1, timeout: 10, scheduler: UntilTestEnds })
  if (transport === 'long-polling') client.disable('websocket')
  atEnd(scope, async () => {
    const said = client.disconnect()
    if (said !== undefined) await Promise.race([settled(said).catch(() => undefined), sleep(500)])
    isOver = true
  })
  return client
}

/** Subscribes, waits until that is confirmed, and answers the list that grows. */
export async function hearing<Data = unknown>(client: Client, channel: string): Promise<Data[]> {
  const heard: Data[] = []
  await settled(client.subscribe(channel, (data) => void heard.push(data as Data)))
  return heard
}

/** What is not known to have worked throws, with Bayeux' code. */
export function settled(outcome: ReturnType<Client['publish']>): Promise<void> {
  return outcome.then(
    () => undefined,
    (error) => {
      throw Object.assign(new Error(error.message), { code: error.code })
    },
  )
}

/** Counts the handshakes of faye's clients from now on: how often they begin anew. */
export function handshakesOf(clients: readonly Client[]): () => number {
  let handshakes = 0
  for (const client of clients) {
    client.addExtension({
      outgoing(message, pass) {
        if (message['channel'] === '/meta/handshake') handshakes += 1
        pass(message)
      },
    })
  }
  return () => handshakes
}
