// Drives what the pages of the rooms show, over real websockets.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import * as client from 'fastify-ah-rooms/client'
import { atEnd, type TestScope, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

async function appWithRooms(scope: TestScope): Promise<{ app: FastifyInstance; url: string }> {
  const app = Fastify()
  atEnd(scope, () => app.close())
  await app.register(fastifyAhPubsub)
  await app.register(fastifyAhRooms, { startingRooms: ['lobby'], allowMissingOrigin: true })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, url: `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/ah/ws` }
}

export const roomsBlocks: readonly Driver[] = [
  {
    page: 'packages/rooms/README.md',
    shows: 'socket.send(',
    async run(t, code = '') {
      const { url } = await appWithRooms(t)
      const socket = new WebSocket(url)
      atEnd(t, () => socket.terminate())
      const heard: Record<string, unknown>[] = []
      socket.on('message', (bytes: Buffer) => heard.push(JSON.parse(bytes.toString())))
      await until(() => socket.readyState === WebSocket.OPEN)
      await new Workplace(t).runPart(code, { socket })
      const shown = [...code.matchAll(/^\/\/ ← \{(.+)\}$/gm)].map(([, fields]) =>
        [...fields!.matchAll(/(\w+): /g)].map(([, name]) => name),
      )
      await until(() => heard.length >= 3)
      assert.equal(shown.length, 2)
      for (const names of shown)
        assert.ok(
          heard.some((frame) => names.every((name) => name! in frame)),
          `${names} in ${JSON.stringify(heard)}`,
        )
    },
  },
  {
    page: 'packages/rooms/README.md',
    shows: 'await rooms.join(',
    async run(t, code = '') {
      const { url } = await appWithRooms(t)
      const shown: unknown[] = []
      const names = {
        connect: (_path: string, options: object) => client.connect(url, { ...options, WebSocket: WebSocket as never }),
        fetch: async () => new Response('a token'),
        show: (...all: unknown[]) => shown.push(all),
        reload: () => undefined,
      }
      // A page has an address and a WebSocket of its own; here both are given.
      const part = code.replace(/^import .+$/m, '')
      const { rooms } = await new Workplace(t).runPart(part, names, ['rooms'])
      atEnd(t, () => (rooms as client.RoomsClient).close())
      await until(() => shown.length === 1)
      assert.deepEqual((shown[0] as unknown[])[2], { text: 'hello' })
    },
  },
]
