// The transport's contract: what pub/sub stands on, the same on every topology.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { scaled, until } from 'fastify-ah-test-support'
import { type OpenTransport, openTransport, type TransportOptions } from './open-transport.ts'

/** What the contract needs to know of the Redis that it is run on. */
export interface RedisUnderTest {
  readonly options: TransportOptions
  /** Whether patterns are to be had. */
  readonly hasPatterns: boolean
  /** Has every server close its subscriber connections; undefined where nobody can. */
  readonly cut?: () => Promise<void>
}

let names = 0

/** A channel that no other test of this process uses. */
function fresh(stem: string): string {
  names += 1
  return `${stem}:${names}`
}

export function transportContract(what: string, { options, hasPatterns, cut }: RedisUnderTest): void {
  const open = (t: TestContext) => openTransport(options, t)
  const hears = (end: OpenTransport, text: string) => until(() => end.heard.includes(text), { what: `hears ${text}` })

  describe(`the contract on ${what}`, () => {
    test('what is published is heard by all that hold the channel, the publisher too, and by nobody else', async (t) => {
      const [one, two, three] = await Promise.all([open(t), open(t), open(t)])
      const [channel, other] = [fresh('held'), fresh('other')]
      await Promise.all([one.transport.hold(channel), two.transport.hold(channel), three.transport.hold(other)])
      await one.transport.publish(channel, 'text with 💡')
      await one.transport.publish(other, 'end')
      await Promise.all([one, two].map((end) => hears(end, `${channel} text with 💡`)))
      await hears(three, `${other} end`)
      assert.deepEqual([one.heard.length, two.heard.length, three.heard.length], [1, 1, 1])
    })

    test('who holds hears from that moment on, who has released hears no more; both twice is fine', async (t) => {
      const [one, two] = await Promise.all([open(t), open(t)])
      const channel = fresh('moment')
      const expected: string[] = []
      for (let round = 0; round < 10; round += 1) {
        await Promise.all([one.transport.hold(channel), one.transport.hold(channel)])
        await two.transport.publish(channel, `heard ${round}`)
        expected.push(`${channel} heard ${round}`)
        await hears(one, `${channel} heard ${round}`)
        await Promise.all([one.transport.release(channel), one.transport.release(channel)])
        await two.transport.publish(channel, `unheard ${round}`)
      }
      assert.deepEqual(one.heard, expected)
    })

    test('many names at once, on whichever servers', async (t) => {
      const [one, two] = await Promise.all([open(t), open(t)])
      const channels = Array.from({ length: scaled(2000, 100) }, () => fresh('many'))
      await Promise.all(channels.map((channel) => one.transport.hold(channel)))
      await Promise.all(channels.map((channel) => two.transport.publish(channel, 'x')))
      await until(() => one.heard.length === channels.length)
      assert.deepEqual([...one.heard].sort(), channels.map((channel) => `${channel} x`).sort())
      await until(() => one.transport.health() === true)
    })

    test('[28] parallel publishers: all hear one and the same order, and each publisher in its own', async (t) => {
      const publishers = await Promise.all([open(t), open(t), open(t)])
      const subscribers = await Promise.all([open(t), open(t), open(t)])
      const channel = fresh('order')
      await Promise.all(subscribers.map(({ transport }) => transport.hold(channel)))
      const rounds = scaled(1000, 60)
      await Promise.all(
        publishers.map(async ({ transport }, publisher) => {
          for (let round = 0; round < rounds; round += 1) await transport.publish(channel, `${publisher} ${round}`)
        }),
      )
      const [first, ...others] = subscribers
      for (const { heard } of subscribers) await until(() => heard.length === rounds * 3)
      for (const { heard } of others) assert.deepEqual(heard, first?.heard)
      for (const publisher of [0, 1, 2]) {
        const own = first?.heard.filter((text) => text.startsWith(`${channel} ${publisher} `))
        assert.deepEqual(
          own,
          Array.from({ length: rounds }, (_, round) => `${channel} ${publisher} ${round}`),
        )
      }
    })

    if (hasPatterns) {
      test('a pattern hears channels of all servers, and says which', async (t) => {
        const [one, two] = await Promise.all([open(t), open(t)])
        const stem = fresh('pattern')
        await one.transport.hold(`${stem}/*`)
        for (const channel of ['a', 'b', 'c', 'd', 'e']) await two.transport.publish(`${stem}/${channel}`, 'x')
        await two.transport.publish(`${stem}-not`, 'x')
        await until(() => one.heard.length === 5)
        assert.deepEqual(
          one.heard.sort(),
          ['a', 'b', 'c', 'd', 'e'].map((c) => `${stem}/* ${stem}/${c} x`),
        )
      })
    }

    if (cut !== undefined) {
      test('[3] after its connections were killed everything held is held again, and told as a gap', async (t) => {
        const [one, two] = await Promise.all([open(t), open(t)])
        const held = Array.from({ length: 30 }, () => fresh('killed'))
        if (hasPatterns) held.push(`${fresh('killed')}/*`)
        const dropped = fresh('dropped')
        await Promise.all([...held, dropped].map((name) => one.transport.hold(name)))
        await one.transport.release(dropped)
        for (let round = 0; round < scaled(30, 3); round += 1) {
          one.gaps.length = 0
          one.heard.length = 0
          await cut()
          await until(() => one.gaps.flatMap((gap) => gap.names).length >= held.length, { what: 'the gap is told' })
          assert.deepEqual(one.gaps.flatMap((gap) => gap.names).sort(), [...held].sort())
          assert.ok(one.gaps.every(({ reason }) => reason === 'connection'))
          // Told when it is heard again, not before.
          for (const name of held) await two.transport.publish(name.replace('*', 'x'), 'x')
          await until(() => one.heard.length === held.length)
          await until(() => one.transport.health() === true)
        }
      })
    }

    test('closing ends everything, twice too; what is asked of it then is refused', async (t) => {
      const { transport } = await open(t)
      await transport.hold(fresh('closed'))
      await Promise.all([transport.close(), transport.close()])
      await assert.rejects(transport.hold(fresh('closed')), { code: 'AH_PUBSUB_CLOSED' })
      await assert.rejects(transport.publish(fresh('closed'), 'x'), { code: 'AH_PUBSUB_CLOSED' })
      await transport.release(fresh('closed'))
    })
  })
}
