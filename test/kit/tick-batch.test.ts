// Work asked for in one turn of the event loop leaves in one go.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { TickBatch } from 'fastify-ah-kit'
import { random } from 'fastify-ah-test-support'
import { byHand, noted, settled, upTo } from './batches.ts'

test('what is added in one turn is sent once, in the order of the calls', async () => {
  const { batch, sent } = noted()
  const answers = upTo(10).map((i) => batch.add(i))
  assert.equal(batch.waiting, 10)
  assert.deepEqual(await Promise.all(answers), upTo(10))
  assert.deepEqual(sent, [upTo(10)])
  assert.equal(batch.waiting, 0)
  assert.equal(await batch.add(10), 10)
  assert.deepEqual(sent, [upTo(10), [10]])
})

test('adds from the promise callbacks of one reply land in one batch', async () => {
  const { batch, sent } = noted()
  const reply = new EventEmitter()
  const callers = upTo(5).map(async (i) => {
    await new Promise((resolve) => reply.once('data', resolve))
    // Callers need different numbers of promise jobs to get on.
    for (let hop = 0; hop < i * 3; hop++) await undefined
    return batch.add(i)
  })
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      reply.emit('data')
      // Asked for in the same turn, before any promise callback ran.
      callers.push(batch.add(99))
      resolve()
    })
  })
  assert.deepEqual(await Promise.all(callers), [...upTo(5), 99])
  assert.deepEqual(sent, [[99, ...upTo(5)]])
})

test('a batch is cut at the most items', async () => {
  for (const serial of [false, true]) {
    const { batch, sent } = noted({ maxItems: 4, serial })
    await Promise.all(upTo(10).map((i) => batch.add(i)))
    assert.deepEqual(sent, [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
  }
})

test('a batch is cut at the most bytes, and an item that is larger alone leaves alone', async () => {
  for (const serial of [false, true]) {
    const { batch, sent } = noted({ maxBytes: 10, sizeOf: (item) => item, serial })
    await Promise.all([4, 6, 1, 50, 3, 7, 8].map((i) => batch.add(i)))
    assert.deepEqual(sent, [[4, 6], [1], [50], [3, 7], [8]])
  }
})

test('random sizes never pass the caps, and nothing is lost or reordered', async () => {
  for (const serial of [false, true]) {
    const sizes = Array.from({ length: 2000 }, () => Math.floor(random() * 40))
    const sent: (readonly [number, number][])[] = []
    const batch = new TickBatch<[number, number], number>({
      name: 'random',
      maxItems: 7,
      maxBytes: 100,
      sizeOf: ([, size]) => size,
      serial,
      send: async (items) => {
        sent.push(items as [number, number][])
        return items.map(([index]) => index)
      },
    })
    const answers = await Promise.all(sizes.map((size, index) => batch.add([index, size])))
    assert.deepEqual(answers, upTo(2000))
    assert.deepEqual(
      sent.flat().map(([index]) => index),
      upTo(2000),
    )
    for (const items of sent) {
      assert.ok(items.length <= 7)
      assert.ok(items.length === 1 || items.reduce((sum, [, size]) => sum + size, 0) <= 100)
    }
  }
})

test("an error in an item's place rejects that item alone", async () => {
  const batch = new TickBatch<number, string>({
    name: 'odd',
    send: async (items) => items.map((i) => (i % 2 === 1 ? new Error(`no ${i}`) : `yes ${i}`)),
  })
  const answers = await Promise.allSettled(upTo(4).map((i) => batch.add(i)))
  assert.deepEqual(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.message)),
    ['yes 0', 'no 1', 'yes 2', 'no 3'],
  )
})

test('a send that throws, at once or later, rejects its items and leaves the next batch alone', async () => {
  let sends = 0
  const batch = new TickBatch<number, number>({
    name: 'fails',
    send: (items) => {
      sends += 1
      if (sends === 1) throw new Error('at once')
      if (sends === 2) return Promise.reject('later, and no error')
      return Promise.resolve(items)
    },
  })
  for (const message of ['at once', 'later, and no error']) {
    const answers = await Promise.allSettled([batch.add(1), batch.add(2)])
    for (const answer of answers) {
      assert.equal(answer.status, 'rejected')
      assert.ok(answer.reason instanceof Error)
      assert.equal(answer.reason.message, message)
    }
  }
  assert.equal(await batch.add(3), 3)
})

test('a send that answers another number of results rejects its items', async () => {
  for (const results of [[], [1], [1, 2, 3]]) {
    const batch = new TickBatch<number, number>({ name: 'miscounts', send: async () => results })
    const answers = await Promise.allSettled([batch.add(1), batch.add(2)])
    for (const answer of answers) {
      assert.equal(answer.status, 'rejected')
      assert.equal(answer.reason.code, 'AH_KIT_BATCH_BROKEN')
      assert.equal(
        answer.reason.message,
        `the batch miscounts was given 2 items and answered ${results.length} results`,
      )
    }
  }
  const batch = new TickBatch<number, number>({ name: 'mute', send: async () => undefined as never })
  await assert.rejects(batch.add(1), TypeError)
})

test('a size that cannot be told rejects its item alone', async () => {
  const sizeOf = (item: number) => {
    if (item === 1) throw new Error('no size')
    return 1
  }
  const { batch, sent } = noted({ sizeOf })
  const [zero, one, two] = [batch.add(0), batch.add(1), batch.add(2)]
  await assert.rejects(one, { message: 'no size' })
  assert.deepEqual(await Promise.all([zero, two]), [0, 2])
  assert.deepEqual(sent, [[0, 2]])
})

test('100 000 items of one turn leave in order, in full batches', async () => {
  for (const serial of [false, true]) {
    const { batch, sent } = noted({ serial })
    const answers = await Promise.all(upTo(100_000).map((i) => batch.add(i)))
    assert.deepEqual(answers, upTo(100_000))
    assert.equal(sent.length, 200)
    assert.ok(sent.every((items) => items.length === 500))
  }
})

test('flush sends at once what was added in this turn, and the rest at its end', async () => {
  const { batch, sent } = noted()
  const first = [batch.add(1), batch.add(2)]
  batch.flush()
  assert.deepEqual(sent, [[1, 2]])
  const later = batch.add(3)
  batch.flush()
  batch.flush()
  assert.deepEqual(sent, [[1, 2], [3]])
  assert.deepEqual(await Promise.all([...first, later]), [1, 2, 3])
  assert.equal(await batch.add(4), 4)
  assert.deepEqual(sent, [[1, 2], [3], [4]])
})

test('flush of a serial batch that is under way leaves what waits to its turn', async () => {
  const { batch, pending } = byHand({ serial: true })
  const all = [batch.add(1)]
  batch.flush()
  all.push(batch.add(2))
  batch.flush()
  assert.deepEqual(
    pending.map(({ items }) => items),
    [[1]],
  )
  pending[0]!.answer()
  await settled()
  pending[1]!.answer()
  assert.deepEqual(await Promise.all(all), [1, 2])
})
