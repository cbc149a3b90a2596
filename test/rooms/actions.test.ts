// Routes as actions: that which opted in is called, whatever a client puts into its path, and no other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'
import { fastifyAhRooms } from 'fastify-ah-rooms'
import { startRedis } from 'fastify-ah-test-support'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)

test('[48] no value of a param leads to another route than that of the action', async (t) => {
  const reached: string[] = []
  const { connect } = await openRooms(redis.url, { prefix: 'actions-1:', messageBurst: 1_000 }, t, (app) => {
    const note = (name: string) => async () => {
      reached.push(name)
      return { name }
    }
    app.get('/', note('root'))
    app.get('/users/', note('all'))
    app.get('/users/export', note('export'))
    app.get('/metrics', note('metrics'))
    app.get('/users/:id', { config: { action: 'user' } }, note('user'))
    app.get('/users/:id/metrics', { config: { action: 'of user' } }, note('of user'))
    app.get('/orders/:id(^\\d+$)', { config: { action: 'order' } }, note('order'))
    app.get('/pages/:page?', { config: { action: 'page' } }, note('page'))
    app.register(
      async (child) => {
        child.get('/:id', { config: { action: 'inner' } }, note('inner'))
        child.get('/secret', note('secret'))
      },
      { prefix: '/child' },
    )
  })
  const client = await connect({ 'x-ah-rooms-action': 'export' })
  const act = (params: Record<string, unknown>) => client.request({ event: 'action', params })
  for (const action of ['user', 'of user', 'inner', 'order']) {
    for (const id of [
      '..',
      '.',
      '',
      'export',
      'secret',
      '../metrics',
      '%2e%2e',
      '..%2f',
      '?',
      '#',
      '//x',
      '\\..\\',
      '..;',
    ]) {
      await act({ action, id })
    }
  }
  assert.deepEqual([...new Set(reached)].sort(), ['inner', 'of user', 'user'])
  assert.equal((await act({ action: 'user', id: 'export' }))['code'], 'AH_ROOMS_ACTION')
  for (const [action, id] of [
    ['user', '7'],
    ['of user', '7'],
    ['inner', 'a b'],
    ['order', 7],
  ]) {
    assert.equal((await act({ action, id }))['name'], action)
  }
  for (const page of [undefined, '7']) assert.equal((await act({ action: 'page', page }))['name'], 'page')
})

test('a route for websockets alone does not answer over HTTP; wrong words in its config are said at boot', async (t) => {
  const { app, connect } = await openRooms(redis.url, { prefix: 'actions-2:' }, t, (app) => {
    app.get('/own', { config: { action: 'own', servers: ['websocket'] } }, async ({ headers }) => ({
      names: Object.keys(headers),
    }))
  })
  assert.equal((await app.inject('/own')).statusCode, 404)
  const client = await connect()
  const { names } = await client.request({ event: 'action', params: { action: 'own' } })
  assert.ok(
    (names as string[]).every((name) => !name.includes('action')),
    String(names),
  )

  const other = fastify()
  t.after(() => other.close())
  await other.register(fastifyAhPubsub, { redis: redis.url })
  await other.register(fastifyAhRooms, { redis: redis.url })
  const add =
    (config: object, url = '/x') =>
    () =>
      other.get(url, { config }, async () => 1)
  const refused = { code: 'AH_ROOMS_OPTIONS' }
  assert.throws(add({ action: 'x', servers: 'web' }), refused)
  assert.throws(add({ action: 'x', servers: ['http'] }), refused)
  assert.throws(add({ action: 7 }), refused)
  assert.throws(add({ action: 'x' }, '/files/*'), refused)
  add({ action: 'twice' }, '/one')()
  assert.throws(add({ action: 'twice' }, '/two'), refused)
})

test('an action that fails does not say OK', async (t) => {
  const { connect } = await openRooms(redis.url, { prefix: 'actions-3:' }, t, (app) => {
    app.get('/no', { config: { action: 'no' } }, async (_, reply) => reply.code(403).send({ message: 'not you' }))
  })
  const client = await connect()
  const reply = await client.request({ event: 'action', params: { action: 'no' } })
  assert.deepEqual([reply['error'], reply['statusCode'], reply['status']], ['not you', 403, 'Error: not you'])
})
