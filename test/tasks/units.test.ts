// The pure parts: payloads, marks, entries of failures, waits, ticks, keys.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'

type Module = Record<string, (...args: never[]) => unknown>

// Not part of what the package offers: read from where it was built.
async function partOf(name: string): Promise<Record<string, (...args: unknown[]) => unknown>> {
  const entry = import.meta.resolve('fastify-ah-tasks')
  const file = new URL(`./${name}.js`, entry)
  return (await import(pathToFileURL(file.pathname).href)) as Module as never
}

describe('payloads', async () => {
  const { encodeBare, withMeta, withoutMetaOf, parsePayload } = await partOf('payload')

  test('a member of ours is spliced in at the end, and replaced, and taken out, byte for byte', () => {
    const bare = encodeBare!('q', 'x', [{ big: 1, list: [] }]) as string
    const once = withMeta!(bare, { v: 1, id: 'a' }) as string
    assert.equal(once, '{"class":"x","queue":"q","args":[{"big":1,"list":[]}],"ah":{"v":1,"id":"a"}}')
    assert.equal(withMeta!(once, { v: 1, id: 'a', attempt: 2 }), once.replace('"a"}', '"a","attempt":2}'))
    assert.equal(withoutMetaOf!(once), bare)
    assert.equal(withoutMetaOf!(bare), bare)
  })

  test('what only looks like a member of ours stays where it is', () => {
    const inside = '{"class":"x","queue":"q","args":[{"a":1,"ah":{"v":1,"id":"z"}}]}'
    assert.equal(withoutMetaOf!(inside), inside)
    assert.equal(withMeta!(inside, { v: 1, id: 'b' }), `${inside.slice(0, -1)},"ah":{"v":1,"id":"b"}}`)
    const text = encodeBare!('q', 'x', [',"ah":{"v":1}}']) as string
    assert.equal(withoutMetaOf!(text), text)
    const big = '{"class":"x","queue":"q","args":[12345678901234567890]}'
    assert.equal(withoutMetaOf!(withMeta!(big, { v: 1, id: 'b' })), big)
  })

  test('members of ours that make no sense are left out, those of newer releases are not ours', () => {
    const meta = (ah: string) => (parsePayload!(`{"class":"x","args":[],"ah":${ah}}`) as { meta: unknown }).meta
    assert.deepEqual(meta('{"v":1,"id":"a","attempt":3,"track":true,"timeoutMs":5,"tick":7}'), {
      v: 1,
      id: 'a',
      attempt: 3,
      track: true,
      timeoutMs: 5,
      tick: 7,
    })
    assert.deepEqual(meta('{"v":1,"id":"a","attempt":-3,"track":1,"timeoutMs":"x"}'), { v: 1, id: 'a' })
    for (const odd of ['null', '7', '[]', '{}', '{"v":2,"id":"a"}', '{"v":1,"id":7}'])
      assert.equal(meta(odd), undefined)
  })
})

test('the payload of an entry keeps its bytes, wherever another program put it', async () => {
  const { payloadOf } = await partOf('failure')
  const payload = '{"class":"x","args":[12345678901234567890,"}\\"]",{"payload":{}}]}'
  for (const entry of [
    `{"failed_at":"now","payload":${payload},"exception":"E","error":",\\"payload\\":{}","backtrace":["a}"]}`,
    `{"worker":"w","queue":"q","payload":${payload}}`,
    `{"worker":"w","queue":"q","payload":${payload},"retried_at":"now"}`,
  ]) {
    assert.equal(payloadOf!(entry), payload)
    assert.deepEqual(JSON.parse(entry).payload, JSON.parse(payload))
  }
  for (const none of ['', '{}', '{"a":1,"payload":"text"}', '{"a":1,"payload":{"a":1', '{"a":1,"payload":[1]}'])
    assert.equal(payloadOf!(none), undefined, none)
})

test('a mark is read as it was written, whatever the name of the queue', async () => {
  const { encodeMarked, decodeMarked, markFresh } = await partOf('mark')
  for (const queue of ['q', 'a:b', 'é✓', '12:34', ':']) {
    for (const payload of [Buffer.from('{}'), Buffer.from([0xff, 0, 0x3a]), Buffer.alloc(0)]) {
      const job = { kind: 's', deaths: 2, queue, payload }
      assert.deepEqual(decodeMarked!(encodeMarked!(job)), job)
    }
    assert.deepEqual(decodeMarked!(Buffer.from(markFresh!(queue, '{}') as string)), {
      kind: 'f',
      deaths: 0,
      queue,
      payload: Buffer.from('{}'),
    })
  }
  for (const odd of ['', '{}', 'x0:1:q{}', 'f0:9:q', 'f0:1']) assert.equal(decodeMarked!(Buffer.from(odd)), undefined)
})

test('an entry of the failed list holds the bytes of its payload, and is found again by its own', async () => {
  const { encodeFailure, decodeFailure, payloadOf, textOfFailure } = await partOf('failure')
  const payload = '{"class":"x","queue":"q","args":[12345678901234567890,{"payload":{"a":[]}},",\\"payload\\":{}"]}'
  const error = new Error('broken ,"payload":{} }')
  const text = encodeFailure!({ worker: 'w', queue: 'q', payload, error }) as string
  assert.equal(payloadOf!(text), payload)
  const entry = decodeFailure!(text) as { error: string; backtrace: string[]; payload: { class: string } }
  assert.deepEqual([entry.error, entry.payload.class], [error.message, 'x'])
  assert.ok(entry.backtrace.length > 0)
  assert.equal(textOfFailure!(entry), text)
  for (const bytes of [Buffer.from([0xff, 0x00]), Buffer.from('nope'), Buffer.from('[1]')]) {
    const raw = JSON.parse(encodeFailure!({ worker: 'w', queue: 'q', payload: bytes, error: undefined }) as string)
    assert.deepEqual(Buffer.from(raw.payload.raw, 'base64'), bytes)
    assert.deepEqual(Array.isArray(raw.backtrace), true)
  }
})

test('waits grow by their factor up to the longest, shortened by a random part', async () => {
  const { backoffMs } = await partOf('backoff')
  const retry = { attempts: 9, backoffMs: 100, factor: 3, jitter: 0.5, maxBackoffMs: 1_000 }
  const waits = (random: number) => [1, 2, 3, 4].map((attempt) => backoffMs!(retry, attempt, () => random))
  assert.deepEqual(waits(0), [100, 300, 900, 1_000])
  assert.deepEqual(waits(1), [50, 150, 450, 500])
})

describe('ticks', async () => {
  const { nextTick } = await partOf('next-tick')
  const at = (text: string) => Date.parse(text)
  const after = (definition: object, text: string) => new Date(nextTick!(definition, at(text)) as number).toISOString()

  test('of a frequency lie on the grid of the clock', () => {
    assert.equal(nextTick!({ frequencyMs: 250 }, 1_000), 1_250)
    assert.equal(nextTick!({ frequencyMs: 250 }, 1_249), 1_250)
    assert.equal(nextTick!({}, 0), undefined)
  })

  test('[40] of cron come once where daylight saving skips or repeats an hour', () => {
    const daily = { cron: '30 2 * * *', timezone: 'Europe/Berlin' }
    assert.equal(after(daily, '2026-01-10T00:00:00Z'), '2026-01-10T01:30:00.000Z')
    // The hour from 2 to 3 is skipped on 29 March: it runs once that day, not never.
    const spring = after(daily, '2026-03-28T02:00:00Z')
    assert.equal(spring.slice(0, 10), '2026-03-29')
    assert.equal(after(daily, spring), '2026-03-30T00:30:00.000Z')
    // It is repeated on 25 October: once, not twice.
    const autumn = after(daily, '2026-10-24T12:00:00Z')
    assert.equal(autumn.slice(0, 10), '2026-10-25')
    assert.equal(after(daily, autumn), '2026-10-26T01:30:00.000Z')
  })

  test('of cron are their own next: what is planned is recognised', () => {
    for (const cron of ['* * * * *', '*/5 * * * * *', '0 0 1 1 *']) {
      const next = nextTick!({ cron }, at('2026-05-05T05:05:05.123Z')) as number
      assert.equal(nextTick!({ cron }, next - 1), next)
    }
  })
})

test('[8] a namespace that would lie among the keys of another is none', async () => {
  const { isNamespace } = await partOf('keys')
  for (const good of ['resque', 'my-app', 'app:resque', 'a.b_c', 'resque:other'])
    assert.equal(isNamespace!(good), true, good)
  for (const bad of [
    '',
    ' ',
    'a b',
    '{a}',
    'a*',
    'a?',
    'a[b',
    'a\nb',
    'a:',
    ':a',
    'a::b',
    'a:queue',
    'a:ah:b',
    'a:failed',
  ]) {
    assert.equal(isNamespace!(bad), false, bad)
  }
})

test('a pool takes as many jobs as it has room for, and grows while that is used up', async () => {
  const { WorkerPool } = (await partOf('worker-pool')) as never as {
    WorkerPool: new (
      size: object,
    ) => {
      room: number
      running: readonly { claim: number }[]
      hasSuspect: boolean
      add(work: object): void
      remove(work: object): void
      idle(): Promise<void>
      start(onChange: () => void): void
      close(): void
    }
  }
  const pool = new WorkerPool({ min: 2, max: 8, maxEventLoopDelayMs: 1_000, checkIntervalMs: 10 })
  const works = Array.from({ length: 4 }, (_, claim) => ({ claim, place: -1, isSuspect: claim === 3 }))
  for (const work of works) pool.add(work)
  assert.deepEqual([pool.room, pool.hasSuspect], [0, true])
  pool.remove(works[1]!)
  pool.remove(works[1]!)
  pool.remove(works[3]!)
  assert.deepEqual([pool.running.map(({ claim }) => claim), pool.hasSuspect], [[0, 2], false])
  // Its own timer keeps nothing alive.
  const alive = setInterval(() => undefined, 1_000)
  await new Promise<void>((resolve) => pool.start(resolve))
  clearInterval(alive)
  assert.equal(pool.room, 2)
  const isIdle = pool.idle()
  for (const work of works) pool.remove(work)
  await isIdle
  pool.close()
  assert.equal(pool.room, 0)
})
