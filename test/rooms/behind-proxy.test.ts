// Behind nginx on a unix socket: whose address a connection has, and what a route sees that it calls.
import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fastify from 'fastify'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { type ConnectRequest, fastifyAhRooms } from 'fastify-ah-rooms'
import { atEnd, startNginx, startRedis } from 'fastify-ah-test-support'
import { connect } from './open-rooms.ts'

const redis = await startRedis({}, test)

for (const path of ['/ah/ws', '/primus']) {
  test(`nginx says whose connection it is: authorize, details and actions know it, on ${path}`, async (t) => {
    const nginx = await startNginx(
      {
        conf: ({ port, dir }) => `server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://unix:${dir}/app.sock;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For 203.0.113.7;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
          }
        }`,
      },
      t,
    )
    const app = fastify({ trustProxy: true, forceCloseConnections: true })
    atEnd(t, () => app.close())
    const asked: ConnectRequest[] = []
    const authorize = {
      connect: (request: ConnectRequest) => {
        asked.push(request)
        return { user: request.ip }
      },
    }
    await app.register(fastifyAhPubsub, { redis: redis.url })
    await app.register(fastifyAhRooms, { redis: redis.url, authorize })
    app.get('/who', { config: { action: 'who' } }, async ({ ip, protocol, host }) => ({ ip, protocol, host }))
    const socket = join(nginx.dir, 'app.sock')
    await app.listen({ path: socket })
    // The workers of nginx are somebody else.
    chmodSync(socket, 0o777)
    const client = await connect(`ws://127.0.0.1:${nginx.port}${path}`, t, { 'x-forwarded-for': '198.51.100.66' })
    assert.equal(asked[0]?.ip, '203.0.113.7')
    const { data } = await client.request({ event: 'detailsView' })
    assert.equal((data as { remoteIP: string }).remoteIP, '203.0.113.7')
    const who = await client.request({ event: 'action', params: { action: 'who' } })
    assert.deepEqual([who['ip'], who['protocol'], who['host']], ['203.0.113.7', 'https', `127.0.0.1:${nginx.port}`])
  })
}
