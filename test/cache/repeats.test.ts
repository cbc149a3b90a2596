// Answers that are lost on their way: the command is sent again, and what it does is done once.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { atEnd, startRedis, until } from 'fastify-ah-test-support'
import { cut, describeBothClients, type Prepare } from './cut-call.ts'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const client = redis.client()

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

function repeatTests(prepare: Prepare): void {
  const script = /^eval/i

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

describeBothClients(redis, repeatTests)
