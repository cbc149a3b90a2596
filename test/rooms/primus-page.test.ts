// ActionHero's own browser client in a real browser.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atEnd, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { chromium } from 'playwright-core'
import { clientSource } from './actionhero-client.ts'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)

test('it has its cookie, a room and a file, and is back after a cut', async (t) => {
  const { primus, actionhero } = await clientSource('window.location.origin', 'reconnect: { min: 50, max: 200 }')
  const files = [fileURLToPath(new URL('..', import.meta.url))]
  const { app, port } = await openRooms(redis.url, { startingRooms: ['lobby'], files }, t, (app) => {
    app.get('/', (_, reply) =>
      reply
        .header('set-cookie', 'sessionID=page-7')
        .type('text/html')
        .send('<!doctype html><title>x</title><script src="client.js"></script>'),
    )
    app.get('/client.js', (_, reply) =>
      reply.type('text/javascript').send(`${primus}\n;(function () {\n${actionhero}\n}).call(window)`),
    )
  })
  const proxy = await startProxy({ target: { host: '127.0.0.1', port } }, t)
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  atEnd(t, () => browser.close())
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(`http://127.0.0.1:${proxy.port}/`)
  const heard = await page.evaluate(`new Promise((resolve, reject) => {
    client = new ActionheroWebsocketClient()
    heard = []
    client.on('say', ({ message }) => heard.push(message))
    client.on('reconnect', () => client.roomAdd('lobby'))
    client.connect((error) => {
      if (error) reject(error)
      else client.roomAdd('lobby', () => client.say('lobby', 'from the page', () => resolve(client.fingerprint)))
    })
  })`)
  assert.equal(heard, 'page-7')
  const [id] = app.rooms.connections().map((connection) => connection.id)
  proxy.cut()
  const isBack = (): boolean => app.rooms.connections().some(({ id: now, rooms }) => now !== id && rooms.length === 1)
  await until(isBack)
  await app.rooms.broadcast(null, 'lobby', 'to the page')
  await until(async () => (await page.evaluate('heard.length')) === 2)
  assert.deepEqual(await page.evaluate('heard'), ['from the page', 'to the page'])
  const type = await page.evaluate(
    `new Promise((resolve) => client.file('package.json', ({ content }) => resolve(JSON.parse(content).type)))`,
  )
  assert.equal(type, 'module')
  assert.deepEqual(errors, [])
})
