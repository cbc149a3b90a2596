// Two workers on one port, by the real command: reloads, kills, nginx in front, and faye's client in a real browser.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  atEnd,
  freePort,
  scaled,
  startNginx,
  startRedis,
  startWorkers,
  type TestScope,
  tempDir,
  until,
} from 'fastify-ah-test-support'
import type { Client } from 'faye'
import { chromium } from 'playwright-core'
import { handshakesOf, hearing, openClient, openFaye, settled, transports } from './open-faye.ts'

const redis = await startRedis({}, test)

const startCluster = (listen: readonly string[], scope: TestScope) =>
  startWorkers({ app: new URL('./programs/app.js', import.meta.url), redis: redis.url, listen }, scope)

/** Publishes numbers from a node of the test's own until it is told to stop; answers how many. */
async function publishing(scope: TestScope): Promise<() => Promise<number>> {
  const { app } = await openFaye(redis.url, { path: '/unused' }, scope)
  let isOver = false
  let number = 0
  const work = (async () => {
    while (!isOver) {
      await app.pubsub.publish('/numbers', number)
      number += 1
      // Time is the subject: there have to be messages before, while and after.
      if (number % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    isOver = true
    await work
    return number
  }
}

function openClients(url: string, scope: TestScope): { clients: Client[]; handshakes: () => number } {
  const clients = transports.flatMap((transport) => [1, 2, 3].map(() => openClient(url, transport, scope)))
  return { clients, handshakes: handshakesOf(clients) }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

test('reloads under load behind nginx: every client hears everything, once, in order, and nobody begins anew', async (t) => {
  const socket = `${tempDir(t).path}/web.sock`
  const cluster = await startCluster(['--socket', socket], t)
  await cluster.untilServing()
  const nginx = await startNginx(
    {
      conf: ({ port }) => `
        upstream app { server unix:${socket}; keepalive 16; keepalive_timeout 4s; }
        map $http_upgrade $upgrade_connection { default upgrade; '' ''; }
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $upgrade_connection;
            proxy_read_timeout 90s;
          }
        }`,
    },
    t,
  )
  const { clients, handshakes } = openClients(`${nginx.url}/faye`, t)
  const lists = await Promise.all(clients.map((client) => hearing<number>(client, '/numbers')))
  const stop = await publishing(t)
  for (let reload = 0; reload < scaled(20, 2); reload += 1) {
    const heard = lists.map((list) => list.length)
    await cluster.reload()
    await until(() => lists.every((list, index) => list.length > heard[index]! + 20), { deadlineMs: 20_000 })
  }
  const count = await stop()
  await until(() => lists.every((list) => list.at(-1) === count - 1), { deadlineMs: 20_000 })
  for (const list of lists) assert.deepEqual(list, upTo(count))
  assert.equal(handshakes(), clients.length)
})

test('a worker that is killed: its clients go on elsewhere with their subscriptions, in order and without repeats', async (t) => {
  const port = await freePort()
  const cluster = await startCluster(['--host', '127.0.0.1', '--port', String(port)], t)
  const { clients, handshakes } = openClients(`http://127.0.0.1:${port}/faye`, t)
  await cluster.untilServing()
  const lists = await Promise.all(clients.map((client) => hearing<number>(client, '/numbers')))
  const stop = await publishing(t)
  for (let kill = 0; kill < scaled(20, 2); kill += 1) {
    const [victim] = await cluster.untilServing()
    process.kill(victim!, 'SIGKILL')
    await cluster.untilServing([victim!])
    const heard = lists.map((list) => list.length)
    await until(() => lists.every((list, index) => list.length > heard[index]! + 20), { deadlineMs: 20_000 })
  }
  const count = await stop()
  await settled(clients[0]!.publish('/numbers', -1))
  await until(() => lists.every((list) => list.at(-1) === -1), { deadlineMs: 20_000 })
  for (const list of lists) {
    const numbers = list.slice(0, -1)
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((one, other) => one - other),
    )
    assert.ok(numbers.length > count / 4, `${numbers.length} of ${count}`)
  }
  assert.equal(handshakes(), clients.length)
})

for (const transport of transports) {
  test(`faye's client in Chromium, over ${transport}: it hears and says, and goes on through a reload`, async (t) => {
    const port = await freePort()
    const cluster = await startCluster(['--host', '127.0.0.1', '--port', String(port)], t)
    await cluster.untilServing()
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    })
    atEnd(t, () => browser.close())
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${port}/${transport === 'websocket' ? '' : '#long-polling'}`)
    await page.locator('body[data-state="subscribed"]').waitFor({ state: 'attached' })
    assert.equal(await page.locator('body').getAttribute('data-by'), transport)
    const say = (text: string): Promise<unknown> => page.evaluate(`say(${JSON.stringify(text)})`)

    const client = openClient(`http://127.0.0.1:${port}/faye`, 'websocket', t)
    const heard = await hearing(client, '/chat/lobby')
    assert.equal(await say('<b>from the page</b>'), 'said')
    await settled(client.publish('/chat/lobby', 'to the page'))
    await page.locator('li', { hasText: 'to the page' }).waitFor()
    await until(() => heard.length === 2)

    await cluster.reload()
    await settled(client.publish('/chat/lobby', 'after the reload'))
    await page.locator('li', { hasText: 'after the reload' }).waitFor()
    assert.equal(await say('from the page again'), 'said')
    await until(() => heard.length === 4)
    const shown = ['<b>from the page</b>', 'to the page', 'after the reload', 'from the page again']
    assert.deepEqual(heard, shown)
    assert.deepEqual(await page.locator('li').allTextContents(), shown)
    assert.equal(await page.locator('body').getAttribute('data-handshakes'), '1')
    assert.deepEqual(errors, [])
  })
}
