// The parts that touch nothing: frames, signatures, the numbers of senders, the server token.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { internal } from './internal.ts'

const { encodeFrame, decodeFrame } = await internal<typeof import('../../packages/pubsub/dist/frame.js')>('frame')
const { Signature } = await internal<typeof import('../../packages/pubsub/dist/signature.js')>('signature')
const { Sequence } = await internal<typeof import('../../packages/pubsub/dist/sequence.js')>('sequence')
const { serverTokens } = await internal<typeof import('../../packages/pubsub/dist/server-token.js')>('server-token')

const head = { boot: 'b"\n', seq: 7, isFirst: false, at: 1_700_000_000_000, channel: '/a' }

describe('frames', () => {
  test('what is written is read', () => {
    for (const isFirst of [true, false]) {
      for (const items of [['1'], ['{"a":[]}', 'null', '"x"']]) {
        const read = decodeFrame(encodeFrame({ ...head, isFirst }, items))
        assert.deepEqual(read, { ...head, isFirst, items: items.map((item) => JSON.parse(item)) })
      }
    }
  })

  test('[24] what is no frame is malformed, what is of a newer release is left alone', () => {
    const sound = JSON.parse(encodeFrame(head, ['1'])) as Record<string, unknown>
    const malformed: string[] = [
      ...['', ' ', 'null', '7', '"x"', 'true', '[]', '[1]', '{}', '{"v":1}', '{', 'NaN', '\0', '[[[[', 'undefined'],
      '['.repeat(200_000),
      `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
      `{"__proto__":{"v":1},${encodeFrame(head, ['1']).slice(1)}`,
      encodeFrame(head, ['{"__proto__":{"polluted":1}}']),
      encodeFrame(head, ['{"\\u005f_proto__":{"polluted":1}}']),
      encodeFrame(head, ['{"constructor":{"prototype":{"polluted":1}}}']),
      ...[undefined, null, '1', {}, -1, 0, 1.5, Number.POSITIVE_INFINITY].map((seq) =>
        JSON.stringify({ ...sound, seq }),
      ),
      ...[undefined, null, 0, '', {}, 'x'.repeat(2000)].map((boot) => JSON.stringify({ ...sound, boot })),
      ...[undefined, null, {}, [], 7].map((channel) => JSON.stringify({ ...sound, channel })),
      ...[undefined, null, {}, 'x'].map((items) => JSON.stringify({ ...sound, items })),
      ...[undefined, null, '1', {}].map((at) => JSON.stringify({ ...sound, at })),
      ...[undefined, null, '1', 0, -1, {}, 1.5].map((v) => JSON.stringify({ ...sound, v })),
    ]
    for (const text of malformed) assert.equal(decodeFrame(text), 'malformed', text.slice(0, 100))
    assert.equal(({} as { polluted?: number }).polluted, undefined)
    for (const v of [2, 99]) assert.equal(decodeFrame(JSON.stringify({ ...sound, v })), 'version')
  })
})

describe('signatures', () => {
  const [old, current] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')]
  const body = '{"v":1,"text":"with 💡 and \\n"}'

  test('what was sealed is opened, by who has the token', () => {
    const sealed = Buffer.from(new Signature([current]).seal('c:/a', body))
    assert.equal(new Signature([current]).open('c:/a', sealed)?.toString(), body)
    assert.equal(new Signature([old]).open('c:/a', sealed), undefined)
    assert.equal(new Signature([current]).open('c:/b', sealed), undefined, 'of another channel')
  })

  test('[25] two tokens are valid while one replaces the other', () => {
    const before = new Signature([old])
    const during = [new Signature([old, current]), new Signature([current, old])] as const
    const after = new Signature([current])
    const takes = (taker: typeof before, sender: typeof before) =>
      taker.open('c', Buffer.from(sender.seal('c', body))) !== undefined
    for (const one of [before, ...during]) assert.ok(takes(during[0], one) && takes(one, during[0]))
    for (const one of [...during, after]) assert.ok(takes(during[1], one) && takes(one, during[1]))
    assert.ok(!takes(after, before) && !takes(before, after))
    assert.ok(!takes(after, during[0]), 'the first one signs')
  })

  test('[25] any altered, missing or added byte, and anything that is no envelope, is not opened', () => {
    const signature = new Signature([current])
    const sealed = Buffer.from(signature.seal('c', body))
    for (let place = 0; place < sealed.length; place += 1) {
      const altered = Buffer.from(sealed)
      altered[place] = altered[place]! ^ 1
      assert.equal(signature.open('c', altered), undefined, `byte ${place}`)
      assert.equal(signature.open('c', sealed.subarray(0, place)), undefined, `cut at ${place}`)
    }
    assert.equal(signature.open('c', Buffer.concat([sealed, Buffer.from(' ')])), undefined)
    assert.equal(signature.open('c', Buffer.concat([Buffer.from(' '), sealed])), undefined)
    for (const text of [
      '',
      body,
      `ah1 ${body}`,
      'ah1    ',
      ' '.repeat(200),
      `ah1 00000000 ${'0'.repeat(64)} ${body}`,
    ]) {
      assert.equal(signature.open('c', Buffer.from(text)), undefined)
    }
    assert.equal(signature.open('c', randomBytes(4096)), undefined)
  })
})

describe('numbers of senders', () => {
  test('a number that follows, one that leaves out some, one that was there', () => {
    const sequence = new Sequence()
    const places = [5, 6, 6, 5, 8, 7, 9].map((seq) => sequence.note('a', seq, false))
    assert.deepEqual(places, ['next', 'next', 'repeat', 'repeat', 'gap', 'repeat', 'next'])
    assert.equal(sequence.note('b', 1, false), 'next', 'each sender counts for itself')
  })

  test('after a gap that was told, and where a sender begins anew, a jump is no news; a repeat still is', () => {
    const sequence = new Sequence()
    sequence.note('a', 5, true)
    sequence.loosen()
    assert.deepEqual(
      [5, 9, 11].map((seq) => sequence.note('a', seq, false)),
      ['repeat', 'next', 'gap'],
    )
    assert.equal(sequence.note('a', 20, true), 'next')
    assert.equal(sequence.note('a', 20, true), 'repeat')
  })

  test('thousands of senders that are silent are forgotten, those that speak are not', (t) => {
    t.mock.timers.enable({ apis: ['Date'] })
    const now = t.mock.method(performance, 'now', () => 0)
    const sequence = new Sequence()
    sequence.note('speaks', 1, true)
    for (let sender = 0; sender < 1023; sender += 1) sequence.note(`silent ${sender}`, 1, true)
    now.mock.mockImplementation(() => 130_000)
    sequence.note('speaks', 2, false)
    sequence.note('one too many', 1, true)
    assert.equal(sequence.note('speaks', 2, false), 'repeat')
    assert.equal(sequence.note('silent 7', 1, false), 'next', 'forgotten')
  })
})

describe('server token', () => {
  const set = (t: { after(hook: () => void): void }, env: Record<string, string | undefined>) => {
    const kept = { ...process.env }
    t.after(() => {
      process.env = kept
    })
    process.env = { ...kept, SERVER_TOKEN: undefined, ...env } as NodeJS.ProcessEnv
    for (const [name, value] of Object.entries(process.env)) if (value === undefined) delete process.env[name]
  }
  const good = randomBytes(16).toString('hex')

  test('[25] in production it must be given, long, and no well-known one', (t) => {
    set(t, { NODE_ENV: 'production' })
    assert.throws(() => serverTokens(undefined), { code: 'AH_PUBSUB_TOKEN', message: /SERVER_TOKEN, at least 32/ })
    const bad = [
      'change-me',
      good.slice(1),
      ' '.repeat(64),
      'a'.repeat(40),
      'fastify-ah: no secret, for development alone',
    ]
    for (const token of bad) {
      assert.throws(() => serverTokens(token), { code: 'AH_PUBSUB_TOKEN' }, token)
      assert.throws(() => serverTokens([good, token]), { code: 'AH_PUBSUB_TOKEN' }, `second: ${token}`)
      const error = (() => {
        try {
          serverTokens(token)
        } catch (thrown) {
          return String((thrown as Error).message)
        }
        return ''
      })()
      assert.ok(!error.includes(token) || token.trim() === '', 'the message does not hold it')
    }
    assert.deepEqual(serverTokens(good), [good])
    assert.deepEqual(serverTokens([good, `${good}2`]), [good, `${good}2`])
  })

  test('the option wins over the variable; outside of production anything goes', (t) => {
    set(t, { NODE_ENV: undefined, SERVER_TOKEN: 'of the variable' })
    assert.deepEqual(serverTokens(undefined), ['of the variable'])
    assert.deepEqual(serverTokens('short'), ['short'])
    set(t, { NODE_ENV: 'production', SERVER_TOKEN: good })
    assert.deepEqual(serverTokens(undefined), [good])
    set(t, { NODE_ENV: undefined })
    assert.equal(serverTokens(undefined).length, 1)
  })
})
