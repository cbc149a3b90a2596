// Redis Cluster: keys over several masters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scan } from 'fastify-ah-kit/redis'
import { scaled, startRedisCluster, until } from 'fastify-ah-test-support'
import { connected } from './app.ts'
import { copy, getAll, keys, works } from './cluster-names.ts'

const cluster = await startRedisCluster({}, test)
const addresses = cluster.nodes.map(({ host, port }) => ({ host, port }))

test('nodes as objects, URLs and ports, or a client that was handed in, lead to all masters', async (t) => {
  const { port } = addresses[0]!
  for (const option of [{ cluster: addresses }, { cluster: [`redis://127.0.0.1:${port}`] }, cluster.client()]) {
    const { connection, app } = await connected(t, { redis: option })
    assert.equal(connection.isCluster, true)
    assert.equal(connection.masters().length, 3)
    assert.ok(await works(connection, ['a', 'b', 'c', 'd', 'e']))
    assert.equal(await connection.isAnswering(), true)
    await app.close()
    assert.equal(connection.client.status, connection.target.isOwned ? 'end' : 'ready')
  }
  const { connection } = await connected(t, {
    redis: { cluster: [`redis://ann:hunter2@localhost:${port}?password=x`, port] },
  }).catch((error) => ({ connection: { target: { label: error.message as string } } }))
  assert.ok(!connection.target.label.includes('hunter2'))
  assert.ok(connection.target.label.includes(`Redis Cluster at localhost:${port}, localhost:${port}`))
})

test('a client that was handed in keeps its listeners', async (t) => {
  const client = cluster.client()
  const count = () => client.eventNames().map((name) => [name, client.listenerCount(name)])
  await until(() => client.status === 'ready')
  const before = count()
  const { connection, app } = await connected(t, { redis: client })
  await works(connection, ['a'])
  await app.close()
  assert.deepEqual(count(), before)
  assert.equal(await client.get('a'), null)
})

test('a script touches the keys of one name; keys of two slots are refused', async (t) => {
  const { connection } = await connected(t, { redis: { cluster: addresses } })
  for (const name of ['a', '}b', '{c}d', '']) {
    await connection.write('SET', [keys.key('cache', name), name])
    assert.equal(await connection.run(copy, [keys.key('cache', name), keys.key('lock', name)], []), 'OK')
    assert.equal(await connection.read('GET', [keys.key('lock', name)]), name)
  }
  await assert.rejects(connection.run(copy, [keys.key('cache', 'a'), keys.key('cache', 'b')], []), {
    code: 'AH_KIT_REDIS_REFUSED',
    message: /CROSSSLOT/,
  })
})

test('a pipeline over all masters answers in the order of its commands', async (t) => {
  const { connection } = await connected(t, { redis: { cluster: addresses } })
  const names = Array.from({ length: scaled(10_000, 1000) }, (_, i) => `piped-${i}`)
  await connection.pipeline(names.map((name) => ({ command: 'SET', args: [keys.key('cache', name), name] })))
  assert.deepEqual(await connection.pipeline(getAll(names), { isWrite: false }), names)
  const binary = Buffer.from([0, 255, 128])
  assert.deepEqual(await connection.pipeline([{ command: 'SET', args: [binary, binary] }]), ['OK'])
  assert.deepEqual(await connection.read('GET', [binary], { buffers: true }), binary)
})

test('scan goes through all masters', async (t) => {
  const { connection } = await connected(t, { redis: { cluster: addresses } })
  const names = Array.from({ length: 10_000 }, (_, i) => `scanned:${i}`)
  await connection.pipeline(names.map((name) => ({ command: 'SET', args: [keys.key('scan', name), 'x'] })))
  await connection.pipeline(
    names.slice(0, 100).map((name) => ({ command: 'SET', args: [keys.key('scan', `x}:${name}`), 'x'] })),
  )
  const found = new Set<string>()
  for await (const page of scan(connection, { match: keys.pattern('scan', 'scanned:') })) {
    for (const key of page) found.add(keys.nameOf('scan', key))
  }
  assert.deepEqual([...found].sort(), names.sort())
})

test('[10] one master that evicts is enough to be told', async (t) => {
  const { connection } = await connected(t, { redis: { cluster: addresses } })
  assert.equal(await connection.maxmemoryPolicy(), 'noeviction')
  await cluster.nodes[1]!.command('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru')
  assert.equal(await connection.maxmemoryPolicy(), 'volatile-lru')
  await cluster.nodes[1]!.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
})

test("connections of one's own block and subscribe on Cluster, also to sharded channels", async (t) => {
  for (const option of [{ cluster: addresses }, cluster.client()]) {
    const { connection } = await connected(t, { redis: option })
    const blocking = connection.dedicated('blocking')
    const list = keys.key('list', 'to block on')
    const waiting = blocking.wait('BLPOP', (client) => client.call('blpop', [list, 0]), 10_000)
    await connection.write('RPUSH', [list, 'x'])
    assert.deepEqual(await waiting, [list, 'x'])
    const heard: string[] = []
    const subscriber = connection.dedicated('subscriber', (client) => {
      client.on('message', (channel, text) => void heard.push(`${channel} ${text}`))
      client.on('smessage', (channel, text) => void heard.push(`sharded ${channel} ${text}`))
    })
    await until(() => subscriber.client.status === 'ready')
    await subscriber.client.subscribe('news')
    await subscriber.client.ssubscribe('sharded')
    await until(async () => {
      await connection.write('PUBLISH', ['news', 'x'])
      await connection.write('SPUBLISH', ['sharded', 'y'])
      return heard.includes('news x') && heard.includes('sharded sharded y')
    })
  }
})
