// Tests the proxy: each way of breaking breaks what it says and nothing else.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisBehindProxy, serverBehindProxy } from './behind-proxy.ts'
import { freePort, startProxy, startRedis, until } from './index.ts'

/** `once` would reject at the error that comes before the close. */
function closed(connection: { on(event: 'close' | 'error', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    connection.on('error', () => undefined)
    connection.on('close', resolve)
  })
}

test('it passes bytes both ways, large ones whole, and half-closed connections', async (t) => {
  const proxy = await serverBehindProxy(t, (socket) => {
    // Answers only after the client has ended its side.
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk)).on('end', () => socket.end(Buffer.concat(chunks)))
  })
  const sent = Buffer.alloc(5_000_000, 'abcdefg')
  const socket = connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true })
  socket.end(sent)
  assert.ok((await buffer(socket)).equals(sent))
  await until(() => proxy.connections === 0)
})

test('a slow reader slows the writer down instead of filling the proxy', async (t) => {
  let written = 0
  const proxy = await serverBehindProxy(t, (socket) => {
    const chunk = Buffer.alloc(64 * 1024)
    const fill = () => {
      while (socket.writable) {
        written += chunk.length
        if (!socket.write(chunk)) return
      }
    }
    socket.on('drain', fill).on('error', () => undefined)
    fill()
  })
  const socket = connect(proxy.port, proxy.host)
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  let before = -1
  await until(
    () => {
      const isStill = written === before && written > 0
      before = written
      return isStill
    },
    { everyMs: 300 },
  )
  // What the kernel keeps for three sockets, far from endless.
  assert.ok(written < 64 * 1024 * 1024, `${written}`)
})

test("its url is the target's with the proxy's port, credentials included", async (t) => {
  const redis = await startRedis({ password: 'secret' }, t)
  const proxy = await startProxy({ target: redis }, t)
  assert.equal(proxy.url, `redis://:secret@127.0.0.1:${proxy.port}`)
  const plain = await startProxy({ target: { path: '/nowhere' } }, t)
  assert.equal(plain.url, `redis://127.0.0.1:${plain.port}`)
})

test('it reaches unix sockets', async (t) => {
  const { redis } = await redisBehindProxy(t)
  const proxy = await startProxy({ target: { path: redis.socketPath } }, t)
  assert.equal(await redis.client({ port: proxy.port }).ping(), 'PONG')
})

test('cut destroys every connection and lets new ones in', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const clients = [1, 2, 3].map(() => redis.client({ port: proxy.port }))
  await Promise.all(clients.map((client) => client.ping()))
  assert.equal(proxy.connections, 3)
  const closes = Promise.all(clients.map(closed))
  assert.equal(proxy.cut(), 3)
  await closes
  await Promise.all(clients.map((client) => client.ping()))
  assert.equal(proxy.accepted, 6)
})

test('a cut reaches the target too', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port, connectionName: 'through-the-proxy', retryStrategy: () => null })
  await client.ping()
  const isKnown = async () => String(await redis.command('CLIENT', 'LIST')).includes('through-the-proxy')
  await until(isKnown)
  proxy.cut()
  await until(async () => !(await isKnown()))
})

test('refuse turns new connections away and keeps those that are open', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const old = redis.client({ port: proxy.port })
  await old.ping()
  proxy.refuse()
  const refused = connect(proxy.port, proxy.host)
  await assert.rejects(once(refused, 'connect'), { code: 'ECONNREFUSED' })
  assert.equal(await old.ping(), 'PONG')
  await proxy.accept()
  assert.equal(await redis.client({ port: proxy.port }).ping(), 'PONG')
})

test('a target that is not there ends the connection', async (t) => {
  const proxy = await startProxy({ target: { host: '127.0.0.1', port: await freePort() } }, t)
  const socket = connect(proxy.port, proxy.host)
  await closed(socket)
})

test('delay makes each way longer by so much, without making many commands slower than one', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port })
  await client.ping()
  const takes = async (work: () => Promise<unknown>) => {
    const start = performance.now()
    await work()
    return performance.now() - start
  }
  proxy.delay(150)
  // Time itself is the subject here; only lower bounds and a wide upper one.
  assert.ok((await takes(() => client.ping())) >= 295)
  let answers = 0
  const spread = async () => {
    for (let i = 0; i < 20; i++) {
      void client.ping().then(() => answers++)
      await sleep(5)
    }
    await until(() => answers === 20)
  }
  assert.ok((await takes(spread)) < 20 * 300)
  proxy.delay(0)
  assert.equal(await client.ping(), 'PONG')
})

test('swallow is a black hole: nothing passes, nothing closes, new connections vanish in it; pass gives all back', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const old = redis.client({ port: proxy.port })
  await old.ping()
  proxy.swallow()

  const answers: string[] = []
  void old.set('from', 'old').then((answer) => answers.push(`old ${answer}`))
  const young = redis.client({ port: proxy.port })
  void young.ping().then((answer) => answers.push(`young ${answer}`))
  await until(() => proxy.connections === 2)
  // That nothing comes can only be seen by waiting.
  await sleep(300)
  assert.deepEqual(answers, [])
  assert.equal(await redis.command('GET', 'from'), null)
  assert.equal(old.status, 'ready')

  proxy.pass()
  await until(() => answers.length === 2)
  assert.deepEqual(answers.sort(), ['old OK', 'young PONG'])
  assert.equal(await redis.command('GET', 'from'), 'old')
})

test('an answer under way is swallowed as well, and so is the news that a side has closed', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port })
  await client.ping()
  const popped = client.blpop('list', 0)
  await until(async () => String(await redis.command('CLIENT', 'LIST')).includes('cmd=blpop'))
  proxy.swallow()
  await redis.command('RPUSH', 'list', 'element')
  await redis.kill()
  await sleep(200)
  assert.equal(client.status, 'ready')
  proxy.pass()
  assert.deepEqual(await popped, ['list', 'element'])
  await until(() => client.status !== 'ready')
})

test('close cuts what is open and refuses what comes', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port, retryStrategy: () => null })
  await client.ping()
  await proxy.close()
  await proxy.close()
  await until(() => client.status === 'end')
  await assert.rejects(once(connect(proxy.port, proxy.host), 'connect'), { code: 'ECONNREFUSED' })
})
