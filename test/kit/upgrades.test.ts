// Upgrades: to whom a path belongs, and what becomes of those that belong to nobody.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { refuseUpgrade, upgradesOf } from 'fastify-ah-kit'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

async function listening(scope: TestScope): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  atEnd(scope, () => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

/** Asks for an upgrade; answers the status, 101 included. */
async function statusOf(app: FastifyInstance, path: string): Promise<number | undefined> {
  const { port } = app.server.address() as AddressInfo
  const asked = request({ port, host: '127.0.0.1', path, headers: { connection: 'Upgrade', upgrade: 'test' } })
  asked.end()
  const [answer] = (await Promise.race([once(asked, 'upgrade'), once(asked, 'response')])) as [IncomingMessage]
  answer.destroy()
  return answer.statusCode
}

test('each path belongs to one, with or without a slash at its end, and what belongs to nobody is answered 404', async (t) => {
  const app = await listening(t)
  const taken: string[] = []
  for (const path of ['/a', '/b']) {
    upgradesOf(app).take(path, (_request, stream) => {
      taken.push(path)
      stream.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n')
    })
  }
  assert.equal(await statusOf(app, '/a?x=1'), 101)
  assert.equal(await statusOf(app, '/b/'), 101)
  assert.deepEqual(taken, ['/a', '/b'])
  for (const path of ['/c', '/', '/ab', '/a/b']) assert.equal(await statusOf(app, path), 404, path)
  assert.equal(app.server.listenerCount('upgrade'), 1)
  assert.throws(() => upgradesOf(app).take('/a', () => undefined), { code: 'AH_KIT_UPGRADE_TAKEN' })
})

test('a path that was left is free, and without any the server is as it was', async (t) => {
  const app = await listening(t)
  const leave = upgradesOf(app).take('/a', (_request, stream) => refuseUpgrade(stream, '403 Forbidden'))
  assert.equal(await statusOf(app, '/a'), 403)
  leave()
  leave()
  assert.equal(app.server.listenerCount('upgrade'), 0)
  upgradesOf(app).take('/a', (_request, stream) => refuseUpgrade(stream, '503 Service Unavailable'))
  leave()
  assert.equal(await statusOf(app, '/a'), 503, 'it is another by now')
})

test('where somebody else listens, what is not ours is left to them', async (t) => {
  const app = await listening(t)
  upgradesOf(app).take('/a', (_request, stream) => refuseUpgrade(stream, '403 Forbidden'))
  app.server.on('upgrade', (asked, stream) => {
    if (asked.url === '/theirs') refuseUpgrade(stream, '410 Gone')
  })
  assert.equal(await statusOf(app, '/theirs'), 410)
  assert.equal(await statusOf(app, '/a'), 403)
})
