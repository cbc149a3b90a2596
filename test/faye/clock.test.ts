// A host whose clock is wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, httpGet, shiftDate, spawnNode, startRedis, until } from 'fastify-ah-test-support'
import { balance, publishing } from './balance.ts'
import { handshakesOf, hearing, openClient, openFaye, transports } from './open-faye.ts'

const command = fileURLToPath(new URL('../../../packages/fastify-ah/bin/fastify-ah.js', import.meta.url))
const program = fileURLToPath(new URL('./programs/app.js', import.meta.url))

for (const ms of [-600_000, 600_000]) {
  test(`[11] a process whose clock is ${ms / 60_000} minutes off serves clients together with one whose clock is right`, async (t) => {
    const redis = await startRedis({}, t)
    const right = await openFaye(redis.url, {}, t)
    const port = await freePort()
    const args = ['start', program, '--host', '127.0.0.1', '--port', String(port), '--no-embedded']
    const wrong = spawnNode(command, { args, env: { REDIS_URL: redis.url, ...shiftDate(ms).env } }, t)
    await until(async () => (await httpGet({ port })).status === 200, { deadlineMs: 30_000 })
    const nginx = await balance([right, { port }], t)
    const clients = transports.map((transport) => openClient(`${nginx.url}/faye`, transport, t))
    const handshakes = handshakesOf(clients)
    const lists = await Promise.all(clients.map((client) => hearing<number>(client, '/numbers')))
    const stop = publishing(right, '/numbers')
    // Time is the subject: leases would end, by the wrong clock at once.
    const since = performance.now()
    await until(() => performance.now() - since > 3_000 && lists.every((list) => list.length > 100))
    const count = await stop()
    await until(() => lists.every((list) => list.length >= count))
    for (const list of lists) assert.deepEqual(list, [...list.keys()])
    assert.equal(handshakes(), clients.length, 'nobody had to begin anew')
    assert.deepEqual(
      wrong.lines().filter((line) => /"level":[56]0/.test(line)),
      [],
    )
  })
}
