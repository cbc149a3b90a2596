// Addresses of clients: an upgrade has the one that a route of the same app sees.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { addressesOf, refuseUpgrade, upgradesOf } from 'fastify-ah-kit'
import { atEnd, type TestScope, tempDir } from 'fastify-ah-test-support'

interface Opened {
  readonly app: FastifyInstance
  readonly lines: string[]
  readonly seen: string[]
}

async function opened(trustProxy: FastifyServerOptions['trustProxy'], scope: TestScope): Promise<Opened> {
  const lines: string[] = []
  const seen: string[] = []
  const logger = { level: 'warn', stream: { write: (line: string) => void lines.push(line) } }
  const app = Fastify({ ...(trustProxy === undefined ? {} : { trustProxy }), logger, forceCloseConnections: true })
  atEnd(scope, () => app.close())
  app.get('/ip', async ({ ip }) => ({ ip: ip ?? '' }))
  // From a scope: it is the app's all the same.
  await app.register(async (inner) => {
    const addressOf = addressesOf(inner)
    upgradesOf(inner).take('/up', (raw, stream) => {
      seen.push(addressOf(raw))
      refuseUpgrade(stream, '403 Forbidden')
    })
  })
  return { app, lines, seen }
}

async function answerOf(to: RequestOptions, path: string, headers: Record<string, string>): Promise<string> {
  const asked = request({ ...to, path, headers })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  let body = ''
  for await (const part of answer) body += String(part)
  return body
}

const forwarded = [
  '',
  '203.0.113.7',
  '198.51.100.1, 203.0.113.7',
  '2001:db8::1',
  'not an address',
  '10.0.0.1, 127.0.0.1',
]
const trusts: FastifyServerOptions['trustProxy'][] = [
  undefined,
  false,
  true,
  '127.0.0.1',
  'loopback, 10.0.0.0/8',
  ['10.0.0.1'],
  (address) => address === undefined || address.startsWith('127.'),
]

for (const trustProxy of trusts) {
  test(`with trustProxy ${trustProxy} an upgrade's address is that of a route, over TCP and a unix socket`, async (t) => {
    const dir = tempDir(t)
    for (const where of [{ host: '127.0.0.1', port: 0 }, { path: join(dir.path, 'app.sock') }]) {
      const { app, lines, seen } = await opened(trustProxy, t)
      await app.listen(where)
      const to = 'path' in where ? { socketPath: where.path } : { port: (app.server.address() as AddressInfo).port }
      for (const header of forwarded) {
        const headers: Record<string, string> = header === '' ? {} : { 'x-forwarded-for': header }
        const { ip } = JSON.parse(await answerOf(to, '/ip', headers)) as { ip: string }
        await answerOf(to, '/up', { ...headers, connection: 'Upgrade', upgrade: 'test' })
        assert.equal(seen.at(-1), ip, header)
      }
      if (trustProxy === true) assert.equal(seen[1], '203.0.113.7')
      if (trustProxy === undefined) assert.equal(seen[1], 'path' in where ? '' : '127.0.0.1')
      assert.deepEqual(lines, [])
    }
  })
}

test('a Fastify that keeps its requests elsewhere is warned of, and gives the addresses of the sockets', () => {
  const warnings: unknown[] = []
  const app = { log: { warn: (text: unknown) => warnings.push(text) } } as unknown as FastifyInstance
  const addressOf = addressesOf(app)
  assert.equal(addressOf({ socket: { remoteAddress: '192.0.2.1' } } as IncomingMessage), '192.0.2.1')
  assert.equal(addressOf({ socket: {} } as IncomingMessage), '')
  assert.equal(warnings.length, 1)
})
