// What an operator sees: log lines that keep what is secret, and traces.
import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import fastify from 'fastify'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { fastifyAhRooms } from 'fastify-ah-rooms'
import { atEnd, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `observe-${prefixes}:`, startingRooms: ['lobby'] }
}

test('no line shows what filteredParams names: neither of messages nor in URLs of actions, over whatever they are called', async (t) => {
  const options = { ...fresh(), filteredParams: ['password', 'pin', 'a b'] }
  const { app, lines, connect } = await openRooms(redis.url, options, t, (app) => {
    app.get('/login/:pin/:name', { config: { action: 'login' } }, async ({ url, query, params, log }) => {
      log.info('a line of the handler')
      return { url, query, params }
    })
    app.get('/fails', { config: { action: 'fails' } }, async () => {
      throw new Error('on purpose')
    })
    app.register(async (scope) => {
      scope.setChildLoggerFactory((logger, bindings, opts) => logger.child({ ...bindings, scope: 'own' }, opts))
      scope.get('/scoped', { config: { action: 'scoped' } }, async () => 'scoped')
    })
    app.get('/other', async () => 'other')
  })
  const client = await connect()
  const secret = 'Tr0ub4dor'
  await client.request({ event: 'roomAdd', room: 'lobby' })
  await client.request({ event: 'say', room: 'lobby', message: { text: 'seen', deep: [{ password: secret }] } })
  app.rooms.on('login', () => 'done')
  await client.request({ event: 'emit', name: 'login', data: { password: secret } })
  const params = { action: 'login', pin: secret, name: 'ada', password: secret, 'a b': secret, shown: 'yes' }
  const reply = await client.request({ event: 'action', params })
  // The route itself has all of it.
  const { 'a b': _, ...given } = reply['query'] as Record<string, string>
  assert.deepEqual(
    [given, reply['params']],
    [
      { password: secret, shown: 'yes' },
      { pin: secret, name: 'ada' },
    ],
  )
  assert.ok(String(reply['url']).includes(secret))
  await client.request({ event: 'action', params: { action: 'fails', password: secret } })
  await client.request({ event: 'action', params: { action: 'scoped', password: secret } })
  await app.inject(`/login/${secret}/ada?password=${secret}&p%61ssword=${secret}&a+b=${secret}&shown=yes`)
  await until(() => lines.some((line) => line.includes('"scope":"own"')))

  assert.deepEqual(
    lines.filter((line) => line.includes(secret)),
    [],
  )
  const shown = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const urls = shown.flatMap(({ req, msg }) => (msg === 'incoming request' ? [(req as { url: string }).url] : []))
  assert.deepEqual(urls, [
    '/login/[FILTERED]/ada?password=[FILTERED]&a+b=[FILTERED]&shown=yes',
    '/fails?password=[FILTERED]',
    '/scoped?password=[FILTERED]',
    '/login/[FILTERED]/ada?password=[FILTERED]&p%61ssword=[FILTERED]&a+b=[FILTERED]&shown=yes',
  ])
  const own = shown.find(({ msg }) => msg === 'a line of the handler')
  assert.equal(typeof own?.['reqId'], 'string')
  const said = shown.filter(({ msg }) => msg === 'a client says')
  assert.deepEqual(
    said.map(({ verb }) => verb),
    ['roomAdd', 'say', 'emit', 'action', 'action', 'action'],
  )
  assert.deepEqual(said[1]?.['message'], {
    room: 'lobby',
    message: { text: 'seen', deep: [{ password: '[FILTERED]' }] },
  })
  assert.deepEqual(new Set(said.map(({ connection }) => connection)), new Set([app.rooms.connections()[0]?.id]))
})

test('without filteredParams, and without a logger, actions are as they were', async (t) => {
  for (const filteredParams of [[], ['password']]) {
    const app = fastify({ logger: false, forceCloseConnections: true })
    atEnd(t, () => app.close())
    await app.register(fastifyAhPubsub, { redis: redis.url })
    await app.register(fastifyAhRooms, { redis: redis.url, ...fresh(), filteredParams })
    app.get('/echo', { config: { action: 'echo' } }, async ({ query, log }) => {
      log.info('heard by nobody')
      return query
    })
    await app.ready()
    const client = await app.rooms.inject()
    const reply = await client.request({ event: 'action', params: { action: 'echo', password: 'p' } })
    assert.equal(reply['password'], 'p')
  }
})

/** What a tracing channel of the rooms tells, in words. */
function told(what: string, scope: TestScope): string[] {
  const words: string[] = []
  const channel = tracingChannel<string, Record<string, unknown>>(`fastify-ah-rooms:${what}`)
  const note = (when: string) => (trace: object) => {
    const { result, error, connection, ...rest } = trace as Record<string, unknown>
    const who = connection === '0' ? ' the server' : ''
    const end = error === undefined ? '' : ` ${(error as Error).message}`
    words.push(`${when}${who} ${JSON.stringify(rest)}${end}`)
  }
  const subscribers = { start: note('start'), asyncEnd: note('end'), error: note('error') }
  const all = { ...subscribers, end: () => undefined, asyncStart: () => undefined }
  channel.subscribe(all as never)
  atEnd(scope, () => void channel.unsubscribe(all as never))
  return words
}

test('traces tell of joins, messages, events, actions and leaves, with who and what', async (t) => {
  const { app, connect } = await openRooms(redis.url, fresh(), t, (app) => {
    app.get('/sum', { config: { action: 'sum' } }, async () => ({ sum: 3 }))
  })
  const names = ['join', 'leave', 'say', 'emit', 'event', 'action']
  const words = new Map(names.map((name) => [name, told(name, t)]))
  app.rooms.on('double', (data) => Number(data) * 2)
  const client = await connect()
  await client.request({ event: 'roomAdd', room: 'lobby' })
  await client.request({ event: 'roomAdd', room: 'nowhere' })
  await client.request({ event: 'say', room: 'lobby', message: 'hello' })
  await app.rooms.to('lobby').emit('bell', { rings: 2 })
  await client.request({ event: 'emit', name: 'double', data: 4 })
  await client.request({ event: 'action', params: { action: 'sum' } })
  await client.request({ event: 'action', params: { action: 'unknown' } })
  await client.request({ event: 'roomLeave', room: 'lobby' })
  assert.deepEqual(Object.fromEntries(words), {
    join: [
      'start {"room":"lobby"}',
      'end {"room":"lobby"}',
      'start {"room":"nowhere"}',
      'error {"room":"nowhere"} room does not exist: nowhere',
      'end {"room":"nowhere"} room does not exist: nowhere',
    ],
    leave: ['start {"room":"lobby"}', 'end {"room":"lobby"}'],
    say: ['start {"room":"lobby","message":"hello"}', 'end {"room":"lobby","message":"hello"}'],
    emit: [
      'start the server {"room":"lobby","event":"bell","data":{"rings":2}}',
      'end the server {"room":"lobby","event":"bell","data":{"rings":2}}',
    ],
    event: ['start {"event":"double","data":4}', 'end {"event":"double","data":4}'],
    action: [
      'start {"params":{"action":"sum"}}',
      'end {"params":{"action":"sum"}}',
      'start {"params":{"action":"unknown"}}',
      'error {"params":{"action":"unknown"}} unknown action or invalid apiVersion: "unknown"',
      'end {"params":{"action":"unknown"}} unknown action or invalid apiVersion: "unknown"',
    ],
  })
})
