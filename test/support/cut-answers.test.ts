// Tests cutting off and holding back answers: what was asked for is done, and its sender does not know.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import { redisBehindProxy, serverBehindProxy } from './behind-proxy.ts'
import { until } from './index.ts'

test('Redis has applied the write, and its sender sees a closed connection', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port, maxRetriesPerRequest: 0 })
  await client.ping()
  const cut = proxy.cutAnswers({ after: (_request, [name]) => name === 'rpush' })
  assert.equal(await client.ping(), 'PONG')
  await assert.rejects(client.rpush('list', 'element'))
  assert.equal(await cut, 1)
  assert.equal(await redis.command('LLEN', 'list'), 1)
  // Only that one: the next is answered again.
  assert.equal(await client.rpush('list', 'element'), 2)
})

test('an ioredis client that resends doubles the element, which is what guards are tested with', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port })
  await client.ping()
  const cut = proxy.cutAnswers({ after: (request) => request.includes('rpush') })
  assert.equal(await client.rpush('list', 'element'), 2)
  assert.equal(await cut, 1)
})

test('in a pipeline the answers before it arrive, its own and those behind it do not', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  for (const position of [0, 1, 57, 99]) {
    await redis.command('FLUSHALL')
    const client = redis.client({ port: proxy.port, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 })
    await client.ping()
    const cut = proxy.cutAnswers({ after: (_request, parts) => parts[1] === `key${position}` })
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => client.set(`key${i}`, 'x'.repeat(i * 300))),
    )
    assert.equal(await cut, 1)
    assert.deepEqual(
      results.map(({ status }) => status),
      Array.from({ length: 100 }, (_, i) => (i < position ? 'fulfilled' : 'rejected')),
    )
    assert.equal(await redis.command('EXISTS', `key${position}`), 1)
    client.disconnect()
  }
})

test('waits for the answer of a command that blocks', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port, maxRetriesPerRequest: 0 })
  await client.ping()
  let isCut = false
  const cut = proxy.cutAnswers({ after: (_request, [name]) => name === 'blmove' }).then((count) => {
    isCut = true
    return count
  })
  const moved = client.blmove('from', 'to', 'LEFT', 'RIGHT', 0).catch((error: Error) => error)
  await until(async () => String(await redis.command('CLIENT', 'LIST')).includes('cmd=blmove'))
  assert.ok(!isCut)
  await redis.command('RPUSH', 'from', 'element')
  assert.ok((await moved) instanceof Error)
  assert.equal(await cut, 1)
  assert.equal(await redis.command('LLEN', 'to'), 1)
})

test('several times, and pass ends it early with the count', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port })
  await client.ping()
  const isIncr = (_request: Buffer, [name]: string[]) => name === 'incr'
  const three = proxy.cutAnswers({ after: isIncr, times: 3 })
  assert.equal(await client.incr('counter'), 4)
  assert.equal(await three, 3)

  // ioredis resends without end, whatever maxRetriesPerRequest says: each reconnection that succeeds resets its count.
  const many = proxy.cutAnswers({ after: isIncr, times: 1_000 })
  const answer = client.incr('counter')
  await until(async () => Number(await redis.command('GET', 'counter')) >= 6)
  proxy.pass()
  assert.equal(await answer, 4 + (await many) + 1)
})

test('pushed messages of RESP3 are not taken for answers', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const client = redis.client({ port: proxy.port, protocol: 3, maxRetriesPerRequest: 0 })
  await client.call('CLIENT', 'TRACKING', 'ON', 'BCAST')
  const cut = proxy.cutAnswers({ after: (_request, parts) => parts[1] === 'last' })
  for (let i = 0; i < 5; i++) {
    await redis.command('SET', `key${i}`, 'makes a push')
    assert.equal(await client.set(`own${i}`, 'value'), 'OK')
  }
  await assert.rejects(client.set('last', 'value'))
  assert.equal(await cut, 1)
})

test('other protocols lose the first answer after the request', async (t) => {
  const requests: string[] = []
  const proxy = await serverBehindProxy(t, (socket) => {
    socket.on('data', (chunk) => {
      requests.push(String(chunk))
      socket.end(`answer to ${chunk}`)
    })
  })
  const ask = (question: string) => {
    const socket = connect(proxy.port, proxy.host)
    socket.write(question)
    return text(socket)
  }
  const cut = proxy.cutAnswers({ after: (request) => request.includes('POST') })
  assert.equal(await ask('GET'), 'answer to GET')
  assert.equal(await ask('POST'), '')
  assert.equal(await cut, 1)
  assert.deepEqual(requests, ['GET', 'POST'])
})

test('an answer that is held comes when it is let go, and holds up no other connection', async (t) => {
  const { redis, proxy } = await redisBehindProxy(t)
  const [one, other] = [redis.client({ port: proxy.port }), redis.client({ port: proxy.port })]
  await Promise.all([one.ping(), other.ping()])
  const held = proxy.holdAnswer(([name]) => name === 'get')
  const order: string[] = []
  const answers = [one.get('key').then(() => order.push('held')), one.ping().then(() => order.push('behind it'))]
  const release = await held
  assert.equal(await other.get('key'), null)
  order.push('elsewhere')
  release()
  await Promise.all(answers)
  assert.deepEqual(order, ['elsewhere', 'held', 'behind it'])
  assert.equal(await one.get('key'), null, 'only that one')
})
