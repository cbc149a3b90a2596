// What the publisher makes of messages: one frame of a channel at a time, and lanes that are forgotten without harm.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_REFUSED } from 'fastify-ah-kit/redis'
import { internal } from './internal.ts'

const { Publisher } = await internal<typeof import('../../packages/pubsub/dist/publisher.js')>('publisher')
const { decodeFrame } = await internal<typeof import('../../packages/pubsub/dist/frame.js')>('frame')
const { Sequence } = await internal<typeof import('../../packages/pubsub/dist/sequence.js')>('sequence')
const { makeCounts } = await internal<typeof import('../../packages/pubsub/dist/counts.js')>('counts')

type Sent = { readonly channel: string; readonly text: string; readonly answer: (error?: Error) => void }

/** A publisher whose transport is answered by hand. */
function opened() {
  const sent: Sent[] = []
  const counts = makeCounts()
  const publisher = new Publisher({
    transport: {
      publish: (channel, text) =>
        new Promise((resolve, reject) => {
          sent.push({ channel, text, answer: (error) => (error === undefined ? resolve(1) : reject(error)) })
        }),
    },
    boot: 'me',
    now: () => 1,
    counts,
    mostBytes: 1000,
    seal: (_channel, frame) => `sealed ${frame}`,
  })
  const publish = (channel: string, data: unknown, isSigned = false) =>
    publisher.publish({ channel, redisChannel: `redis:${channel}`, isSigned }, JSON.stringify(data))
  return { publisher, publish, sent, counts }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const itemsOf = ({ text }: Sent) => {
  const frame = decodeFrame(text)
  assert.ok(typeof frame === 'object', text)
  return frame
}

test('one frame of a channel is under way; what comes meanwhile is the next one; other channels do not wait', async () => {
  const { publish, sent, counts } = opened()
  const first = [publish('/a', 1), publish('/a', 2)]
  await turn()
  const second = [publish('/a', 3), publish('/b', 4), publish('/a', 5)]
  await turn()
  assert.deepEqual(
    sent.map(({ channel }) => channel),
    ['redis:/a', 'redis:/b'],
  )
  sent[0]?.answer()
  await Promise.all(first)
  await turn()
  assert.deepEqual(
    sent.map((one) => itemsOf(one).items),
    [[1, 2], [4], [3, 5]],
  )
  assert.deepEqual(
    sent.map((one) => [itemsOf(one).seq, itemsOf(one).isFirst]),
    [
      [1, true],
      [1, true],
      [2, false],
    ],
  )
  for (const { answer } of sent) answer()
  await Promise.all(second)
  assert.equal(counts.published, 5)
})

test('a frame that Redis did not take rejects what waits behind it, one that it refused does not', async () => {
  const { publish, sent } = opened()
  const lost = publish('/a', 1)
  await turn()
  const behind = publish('/a', 2)
  sent[0]?.answer(new AH_KIT_REDIS_DOWN('publish'))
  await assert.rejects(lost, { code: 'AH_KIT_REDIS_DOWN' })
  await assert.rejects(behind, { code: 'AH_KIT_REDIS_DOWN' })
  const refused = publish('/a', 3)
  await turn()
  const next = publish('/a', 4)
  sent[1]?.answer(new AH_KIT_REDIS_REFUSED('publish', 'NOPERM'))
  await assert.rejects(refused, { code: 'AH_KIT_REDIS_REFUSED' })
  await turn()
  sent[2]?.answer()
  await next
  assert.deepEqual(
    sent.map((one) => itemsOf(one).seq),
    [1, 2, 3],
    'a number that was given out is never given out again',
  )
})

test('frames have a cap in bytes, a longer message leaves alone', async () => {
  const { publish, sent } = opened()
  const all = ['x'.repeat(600), 'y'.repeat(600), 'z'.repeat(2000), 'end'].map((text) => publish('/a', text))
  for (let frame = 0; frame < 4; frame += 1) {
    await turn()
    sent[frame]?.answer()
  }
  await Promise.all(all)
  assert.deepEqual(
    sent.map((one) => itemsOf(one).items.length),
    [1, 1, 1, 1],
  )
})

test('signed frames are sealed', async () => {
  const { publish, sent } = opened()
  const published = publish('/a', 1, true)
  await turn()
  sent[0]?.answer()
  await published
  assert.match(sent[0]?.text ?? '', /^sealed \{"v":1,/)
})

test('thousands of channels that were not used for long are forgotten, and nobody takes what comes then for old', async (t) => {
  const { publish, sent } = opened()
  const now = t.mock.method(performance, 'now', () => 0)
  const sequence = new Sequence()
  const say = async (channel: string, data: unknown) => {
    const published = publish(channel, data)
    await turn()
    const last = sent.at(-1)!
    last.answer()
    await published
    return itemsOf(last)
  }
  for (let number = 1; number <= 5; number += 1) assert.equal((await say('/often', number)).seq, number)
  sequence.note('me', 5, false)
  for (let channel = 0; channel < 1023; channel += 1) await say(`/once/${channel}`, 1)
  now.mock.mockImplementation(() => 61_000)
  await say('/one/too/many', 1)
  const { seq, isFirst } = await say('/often', 6)
  assert.ok(seq > 5 && isFirst, `${seq}`)
  assert.equal(sequence.note('me', seq, isFirst), 'next', 'neither a repeat nor a gap')
})

test('after its end nothing is taken, and what is under way may end', async () => {
  const { publisher, publish, sent } = opened()
  const open = publish('/a', 1)
  await turn()
  publisher.close()
  await assert.rejects(publish('/a', 2), { code: 'AH_PUBSUB_CLOSED' })
  const drained = publisher.drain()
  sent[0]?.answer()
  await Promise.all([open, drained])
})
