// Connections that break in the middle of everything.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelSubscription } from 'fastify-ah-pubsub'
import { random, scaled, startProxy, startRedis, until } from 'fastify-ah-test-support'
import { openPubSub } from './open-pubsub.ts'

describe('connections killed', () => {
  test('[3] again and again under load: nothing doubled, nothing out of order, each loss told as a gap', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const publisher = await openPubSub({ redis: proxy.url, probeMs: 50 }, t)
    const subscriber = await openPubSub({ redis: redis.url, probeMs: 50 }, t)
    const heard: number[] = []
    let gaps = 0
    let gapsAtLoss = 0
    await subscriber.subscribe('/load', (number) => heard.push(number as number))
    subscriber.onGap(({ channels }) => {
      if (channels.includes('/load')) gaps += 1
    })
    let isOver = false
    let sent = 0
    const failed: string[] = []
    const publishing = (async () => {
      while (!isOver) {
        const batch = Array.from({ length: 20 }, () => {
          sent += 1
          return publisher.publish('/load', sent)
        })
        for (const outcome of await Promise.allSettled(batch)) {
          if (outcome.status === 'rejected') failed.push(outcome.reason.code)
        }
      }
    })()
    for (let round = 0; round < scaled(30, 5); round += 1) {
      // Time is the subject: a cut now and then, with traffic between.
      await sleep(150)
      await redis.command('CLIENT', 'KILL', 'TYPE', round % 2 === 0 ? 'pubsub' : 'normal')
      proxy.cut()
    }
    isOver = true
    await publishing
    await until(() => subscriber.publish('/load', -1).then(() => heard.includes(-1)))
    const numbers = heard.filter((number) => number > 0)
    for (let index = 1; index < numbers.length; index += 1) {
      const [before, now] = [numbers[index - 1]!, numbers[index]!]
      assert.ok(now > before, `${now} behind ${before}`)
      if (now !== before + 1) gapsAtLoss += 1
    }
    assert.deepEqual(failed, [], 'a cut is mended within the deadline')
    assert.ok(numbers.length > sent / 2, `${numbers.length} of ${sent} heard`)
    assert.ok(gaps >= gapsAtLoss, `${gapsAtLoss} times something was missing, ${gaps} gaps were told`)
  })

  test('[11a] the answer to a PUBLISH is cut off after Redis has done it: heard once, answered once', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const publisher = await openPubSub({ redis: proxy.url }, t)
    const subscriber = await openPubSub({ redis: redis.url }, t)
    const heard: unknown[] = []
    await subscriber.subscribe('/once', (data) => heard.push(data))
    const expected: number[] = []
    for (let round = 0; round < scaled(100, 10); round += 1) {
      const cut = proxy.cutAnswers({
        after: (_request, [name, channel]) => /^publish$/i.test(name ?? '') && !!channel?.endsWith('/once'),
      })
      // What is published while the first one waits must not overtake it.
      const numbers = [round * 3, round * 3 + 1, round * 3 + 2]
      expected.push(...numbers)
      const [first, ...others] = numbers
      const sent = [publisher.publish('/once', first)]
      // Time is the subject: the cut comes at any point of the first.
      await sleep(random() * 20)
      sent.push(...others.map((number) => publisher.publish('/once', number)))
      await Promise.all(sent)
      assert.equal(await cut, 1)
    }
    await until(() => heard.length >= expected.length)
    await publisher.publish('/once', 'end')
    await until(() => heard.includes('end'))
    assert.deepEqual(heard, [...expected, 'end'])
    assert.ok(subscriber.stats().dropped.replayed >= expected.length / 3, 'they did come twice')
  })

  test('[11a] the answer to a sign of life or a call is cut off: one node, one run of the handler', async (t) => {
    const redis = await startRedis({}, t)
    const proxy = await startProxy({ target: redis }, t)
    const caller = await openPubSub({ redis: proxy.url, leaseMs: 900 }, t)
    const callee = await openPubSub({ redis: redis.url, leaseMs: 900 }, t)
    let runs = 0
    callee.handle('count', () => {
      runs += 1
      return runs
    })
    for (let round = 1; round <= scaled(100, 10); round += 1) {
      const cut = proxy.cutAnswers({ after: (_request, [name]) => /^(publish|evalsha?)$/i.test(name ?? '') })
      assert.equal(await caller.call('count', undefined, { node: callee.id }), round)
      assert.equal(await cut, 1)
    }
    assert.equal((await callee.nodes()).length, 2)
  })
})

test('a call of a node whose connection is down reaches it when it is back, and is carried out once', async (t) => {
  const redis = await startRedis({}, t)
  const caller = await openPubSub({ redis: redis.url }, t)
  const callee = await openPubSub({ redis: redis.url }, t)
  let runs = 0
  callee.handle('count', () => {
    runs += 1
    return runs
  })
  const channel = `actionhero:pubsub-internal:/actionhero/node/${callee.id}`
  const client = redis.client()
  for (let round = 1; round <= scaled(100, 10); round += 1) {
    await until(async () => ((await client.pubsub('NUMSUB', channel)) as unknown[])[1] === 1)
    // In one go: to connect anew takes longer than that.
    const [, [, listening]] = (await Promise.all([
      client.client('KILL', 'TYPE', 'PUBSUB'),
      client.pubsub('NUMSUB', channel),
    ])) as [unknown, [string, number]]
    assert.equal(listening, 0)
    assert.equal(await caller.call('count', undefined, { node: callee.id, timeoutMs: 10_000 }), round)
  }
})

test('a call of all reaches also those whose connection is down just now, when they are back, and once', async (t) => {
  const redis = await startRedis({}, t)
  const proxy = await startProxy({ target: redis }, t)
  const caller = await openPubSub({ redis: redis.url }, t)
  const others = [await openPubSub({ redis: redis.url }, t), await openPubSub({ redis: proxy.url }, t)]
  const runs = others.map(({ id }) => ({ id, count: 0 }))
  for (const [index, other] of others.entries()) {
    other.handle('count', () => {
      runs[index]!.count += 1
      return runs[index]!.count
    })
  }
  for (let round = 1; round <= scaled(100, 5); round += 1) {
    // To connect anew takes longer than to ask.
    proxy.cut()
    const answers = await caller.callAll('count', undefined, { timeoutMs: 10_000 })
    for (const { id } of runs) {
      const answer = answers.find(({ node }) => node === id)
      assert.ok(answer !== undefined && 'result' in answer, `round ${round}: ${id} has answered`)
      assert.equal(answer.result, round)
    }
  }
})

describe('subscriptions at random', () => {
  test("[23] while connections are killed: at rest Redis' set equals memory's", async (t) => {
    const redis = await startRedis({}, t)
    const pubsub = await openPubSub({ redis: redis.url, prefix: 'random:', probeMs: 50 }, t)
    const names = [...Array.from({ length: 30 }, (_, index) => `/c${index}`), '/*', '/deep/**', '/c1/*']
    const held: { readonly name: string; readonly subscription: Promise<ChannelSubscription> }[] = []
    const pending: Promise<unknown>[] = []
    const steps = scaled(10_000, 800)
    let kills = 0
    for (let step = 0; step < steps; step += 1) {
      if (random() < 0.52) {
        const name = names[Math.floor(random() * names.length)]!
        held.push({ name, subscription: pubsub.subscribe(name, () => undefined) })
      } else if (held.length > 0) {
        const [one] = held.splice(Math.floor(random() * held.length), 1)
        pending.push(one!.subscription.then((subscription) => subscription.unsubscribe()))
      }
      // A turn of the event loop: what was asked for leaves.
      if (random() < 0.2) await sleep(0)
      if (step % 200 === 100) {
        kills += 1
        await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
      }
    }
    await Promise.all([...pending, ...held.map(({ subscription }) => subscription)])
    assert.ok(kills >= 4)
    const expected = new Set(held.map(({ name }) => `random:pubsub:${name.replace('**', '*')}`))
    const [channels, patterns] = [
      [...expected].filter((name) => !name.includes('*')),
      [...expected].filter((name) => name.includes('*')),
    ]
    const inRedis = async () => ((await redis.command('PUBSUB', 'CHANNELS', 'random:pubsub:*')) as string[]).sort()
    await until(async () => (await inRedis()).join() === channels.sort().join())
    assert.equal(await redis.command('PUBSUB', 'NUMPAT'), patterns.length)
    assert.equal(
      pubsub.stats().subscriptions,
      new Set(held.map(({ name }) => name)).size + 3,
      'and those of the package',
    )
    // And each of them is heard.
    for (const { subscription } of held) await (await subscription).unsubscribe()
    assert.deepEqual(await inRedis(), [])
    assert.equal(await redis.command('PUBSUB', 'NUMPAT'), 0)
    assert.equal(pubsub.stats().subscriptions, 3)
  })
})
