// Answers that are lost on their way: the command is sent again, and what it does is done once.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Cache } from 'fastify-ah-cache'
import { atEnd, startProxy, startRedis, type TcpProxy, type TestScope, until } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()

interface Subject {
  readonly cache: Cache
  readonly proxy: TcpProxy
}

/** Every script once, so that the answer that is cut is the script's and not "no such script". */
async function warm(cache: Cache): Promise<void> {
  await cache.save('warm', 1)
  await cache.load('warm', { expireMs: 1_000 })
  await cache.destroy('warm')
  await cache.lock('warm')
  await cache.unlock('warm')
  await cache.push('warm list', 1)
  await cache.pop('warm list')
  await cache.increment('warm counter')
  await cache.withLock('warm', {}, () => 1)
  await cache.getOrSet('warm produced', { expireMs: 1_000 }, () => 1)
  await cache.invalidateTags(['warm'])
  await Promise.all([cache.save('warm', 1), cache.save('warm too', 1)])
  await cache.clear()
}

/** The scripts that reach the server, to be sent once more as a client would after a cut. */
async function watchScripts(): Promise<{ last(): Promise<[string, ...string[]]>; stop(): void }> {
  const seen: [string, ...string[]][] = []
  const marks = new Set<string>()
  const monitor = await redis.client().monitor()
  monitor.on('monitor', (_time: string, [name = '', ...args]: string[], source: string) => {
    // What a script itself asks comes from "lua".
    if (/^eval/i.test(name) && source !== 'lua') seen.push([name, ...args])
    if (/^echo$/i.test(name)) marks.add(args[0]!)
  })
  return {
    async last() {
      // The monitor hears of commands after they are answered, but in their order.
      const mark = randomUUID()
      await client.echo(mark)
      await until(() => marks.has(mark))
      return seen.at(-1)!
    },
    stop: () => monitor.disconnect(),
  }
}

/** Runs `call`, cuts its answer, has `meanwhile` happen before the client can come back, and answers what the call did. */
async function cut<T>(
  { proxy }: Subject,
  command: RegExp,
  call: () => Promise<T>,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<T> {
  const isCut = proxy.cutAnswers({ after: (_, [name]) => command.test(name ?? '') })
  const outcome = Promise.allSettled([call()])
  proxy.refuse()
  assert.equal(await isCut, 1)
  await meanwhile()
  await proxy.accept()
  const [result] = await outcome
  if (result.status === 'rejected') throw result.reason
  return result.value
}

function repeatTests(open: (proxy: TcpProxy, scope: TestScope) => Promise<Cache>): void {
  const script = /^eval/i
  const prepare = async (scope: TestScope): Promise<Subject> => {
    await client.flushall()
    const proxy = await startProxy({ target: redis }, scope)
    const cache = await open(proxy, scope)
    await warm(cache)
    return { cache, proxy }
  }

  test('[11a] push adds one element', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    assert.equal(await cut(subject, script, () => cache.push('list', 'a')), true)
    assert.equal(await cache.push('list', 'b'), true)
    assert.deepEqual(await client.lrange('actionhero:cache:list', 0, '-1'), ['{"data":"a"}', '{"data":"b"}'])
  })

  test('[11a] a batch of pushes and pops is applied once and answered as it was', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    await cache.push('list', 0)
    const answers = await cut(subject, script, () =>
      Promise.all([cache.push('list', 1), cache.pop('list'), cache.push('list', { two: 2 }), cache.pop('list')]),
    )
    assert.deepEqual(answers, [true, 0, true, 1])
    assert.deepEqual([await cache.pop('list'), await cache.pop('list')], [{ two: 2 }, null])
  })

  test('[11a] pop takes one element and answers it', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    for (const item of [1, 2, 3]) await cache.push('list', item)
    assert.equal(await cut(subject, script, () => cache.pop('list')), 1)
    assert.equal(await cache.listLength('list'), 2)
    assert.equal(await cache.pop('list'), 2)
  })

  test('[11a] lock is taken and said to be taken', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    assert.equal(await cut(subject, script, () => cache.lock('k', 60_000)), true)
    assert.equal(await client.get('actionhero:lock:k'), cache.owner)
    assert.equal(await cache.lock('k'), false, 'another call of the same owner is none of its repeats')
    assert.equal(await cache.unlock('k'), true)
    assert.equal(await client.exists('actionhero:lock:k'), 0)
  })

  test('[11a] unlock frees its own lock and not the next one', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    await cache.lock('k', 60_000)
    const another = await openCache({ redis: redis.url, owner: 'another' }, t)
    await cut(
      subject,
      script,
      () => cache.unlock('k'),
      async () => assert.equal(await another.lock('k', 60_000), true),
    )
    assert.equal(await another.checkLock('k'), true)
    assert.equal(await cache.checkLock('k'), false)
  })

  test('[11a] an unlock that arrives again spares the lock that a later call of the same owner took', async (t) => {
    const { cache } = await prepare(t)
    const monitored = await watchScripts()
    atEnd(t, () => monitored.stop())
    await cache.lock('k', 60_000)
    await cache.unlock('k')
    const unlock = await monitored.last()
    await cache.lock('k', 60_000)
    assert.equal(await client.call(...unlock), 1)
    assert.equal(await client.get('actionhero:lock:k'), cache.owner)
  })

  test('[11a] a destroy that arrives again spares what was saved since, whoever destroyed in between', async (t) => {
    const { cache } = await prepare(t)
    const another = await openCache({ redis: redis.url }, t)
    const monitored = await watchScripts()
    atEnd(t, () => monitored.stop())
    for (const between of [cache, another]) {
      await cache.destroy('k')
      const destroyNothing = await monitored.last()
      await another.save('k', 1)
      await between.destroy('k')
      await another.save('k', 2)
      const answer = await client.call(...destroyNothing).catch((error: Error) => error.message)
      assert.ok(answer === 2 || String(answer).startsWith('AHSTALE'), String(answer))
      assert.equal(await cache.get('k'), 2)
      await cache.destroy('k')
    }
  })

  test('[11a] destroy removes what was there, says so, and spares what came since', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    await cache.save('k', 'old')
    const another = await openCache({ redis: redis.url }, t)
    const answer = await cut(
      subject,
      script,
      () => cache.destroy('k'),
      () => another.save('k', 'new'),
    )
    assert.equal(answer, true)
    assert.equal(await cache.get('k'), 'new')
    assert.equal(await cache.destroy('k'), true)
    assert.equal(await cache.destroy('k'), false)
  })

  test('[11a] increment counts once, alone and in a batch', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    assert.equal(await cut(subject, script, () => cache.increment('k', 5)), 5)
    assert.equal(await cache.increment('k'), 6)
    const sums = await cut(subject, script, () => Promise.all([cache.increment('k', 10), cache.increment('k', 20)]))
    assert.deepEqual(sums, [16, 36])
    assert.equal(await cache.get('k'), 36)
  })

  test('[11a] withLock gets its lock and its token, whichever answer is lost', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    const token = await cut(subject, script, () => cache.withLock('k', { ms: 60_000 }, (_, given) => given))
    assert.equal(String(token), await client.get('actionhero:fence:k'))
    assert.equal(await client.exists('actionhero:lock:k'), 0)
    const next = await cache.withLock('k', { ms: 60_000 }, async (_, given) => given)
    assert.ok(next > token)
    const work = cache.withLock('k', { ms: 60_000 }, () => cut(subject, script, () => cache.save('k', 1)))
    assert.equal(await work, true)
    assert.equal(await client.exists('actionhero:lock:k'), 0)
  })

  test('[11a] getOrSet produces once and stores, whichever answer is lost', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    let runs = 0
    const produce = () => {
      runs += 1
      return runs
    }
    assert.equal(await cut(subject, script, () => cache.getOrSet('k', { expireMs: 60_000 }, produce)), 1)
    const storing = cut(
      subject,
      // The first script claims, the second stores.
      script,
      () =>
        cache.getOrSet('l', { expireMs: 60_000 }, async () => {
          await client.ping()
          return produce()
        }),
    )
    assert.equal(await storing, 2)
    assert.deepEqual([await cache.get('k'), await cache.get('l')], [1, 2])
    assert.equal(await client.exists('actionhero:produce:k', 'actionhero:produce:l'), 0)
    await cut(subject, script, () => cache.invalidateTags(['a']))
  })

  test('[11a] saves of one tick are all there, and reads of one tick all answered', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    const names = Array.from({ length: 50 }, (_, index) => `k ${index}`)
    await cut(subject, script, () => Promise.all(names.map((name, index) => cache.save(name, index, 60_000))))
    const values = await cut(subject, /^mget$/i, () => Promise.all(names.map((name) => cache.get(name))))
    assert.deepEqual(
      values,
      names.map((_, index) => index),
    )
    assert.ok((await client.pttl('actionhero:cache:k 7')) > 50_000)
  })

  test('[11a] save, a renewing load, clear and reads end as if nothing had happened', async (t) => {
    const subject = await prepare(t)
    const { cache } = subject
    assert.equal(await cut(subject, script, () => cache.save('k', { a: 1 }, 60_000)), true)
    const bytes = await client.get('actionhero:cache:k')
    assert.ok((await client.pttl('actionhero:cache:k')) > 50_000)
    assert.deepEqual((await cut(subject, script, () => cache.load('k', { expireMs: 600_000 }))).value, { a: 1 })
    assert.equal(await client.get('actionhero:cache:k'), bytes)
    assert.deepEqual(await cut(subject, /^mget$/i, () => cache.get('k')), { a: 1 })
    assert.deepEqual(await cut(subject, /^scan$/i, () => cache.keys()), ['k'])
    await cut(subject, /^unlink$/i, () => cache.clear())
    assert.equal(await cache.size(), 0)
  })
}

describe('a connection of ours', () => {
  repeatTests((proxy, scope) => openCache({ redis: proxy.url }, scope))
})

describe('a client that was handed in', () => {
  repeatTests((proxy, scope) => {
    const handed = new Redis(proxy.url)
    handed.on('error', () => undefined)
    atEnd(scope, () => handed.disconnect())
    return openCache({ redis: handed }, scope)
  })
})
