// What leaves while something is on its way, and at the end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byHand, noted, settled } from './batches.ts'

test('without serial, a batch leaves while another is on its way', async () => {
  const { batch, pending } = byHand()
  const first = batch.add(1)
  await settled()
  const second = batch.add(2)
  await settled()
  assert.deepEqual(
    pending.map(({ items }) => items),
    [[1], [2]],
  )
  pending[1]!.answer()
  assert.equal(await second, 2)
  pending[0]!.answer()
  assert.equal(await first, 1)
})

test('with serial, what comes meanwhile makes up the next batch', async () => {
  const { batch, pending } = byHand({ serial: true, maxItems: 3 })
  const answers = [batch.add(0)]
  await settled()
  answers.push(batch.add(1), batch.add(2))
  await settled()
  answers.push(batch.add(3), batch.add(4))
  await settled()
  assert.equal(pending.length, 1)
  assert.equal(batch.waiting, 4)
  pending[0]!.answer()
  await settled()
  assert.deepEqual(pending[1]!.items, [1, 2, 3])
  pending[1]!.fail(new Error('lost'))
  await assert.rejects(answers[1]!, { message: 'lost' })
  await Promise.allSettled(answers.slice(2, 4))
  await settled()
  assert.deepEqual(pending[2]!.items, [4])
  pending[2]!.answer()
  assert.equal(await answers[4], 4)
})

test('with serial, whoever asks again on an answer joins those who waited', async () => {
  const { batch, pending } = byHand({ serial: true })
  const first = batch.add(0).then(() => batch.add(2))
  await settled()
  const second = batch.add(1)
  pending[0]!.answer()
  await settled()
  assert.deepEqual(pending[1]!.items, [1, 2])
  pending[1]!.answer()
  assert.deepEqual(await Promise.all([first, second]), [2, 1])
})

test('close sends what waits, waits for every answer, and takes no more', async () => {
  for (const serial of [false, true]) {
    const { batch, pending } = byHand({ serial })
    const answers = [batch.add(0)]
    await settled()
    answers.push(batch.add(1))
    let isClosed = false
    const closing = Promise.all([batch.close(), batch.close()]).then(() => {
      isClosed = true
    })
    await assert.rejects(batch.add(2), { code: 'AH_KIT_BATCH_CLOSED', message: 'the batch by hand is closed' })
    await settled()
    pending[0]!.answer()
    await settled()
    assert.equal(isClosed, false)
    pending[1]!.fail(new Error('lost'))
    assert.equal(await answers[0], 0)
    await assert.rejects(answers[1]!, { message: 'lost' })
    await closing
  }
  await noted().batch.close()
})

test('what has not left can be rejected, what is under way is not; and the end comes', async () => {
  const { batch, pending } = byHand({ serial: true })
  const first = batch.add(1)
  await settled()
  const others = [batch.add(2), batch.add(3)]
  const closed = batch.close()
  batch.rejectWaiting(new Error('not now'))
  for (const other of others) await assert.rejects(other, /not now/)
  assert.equal(batch.waiting, 0)
  pending[0]?.answer()
  assert.equal(await first, 1)
  await closed
  assert.equal(pending.length, 1)
})

test('a batch that is closed ends with what waits in it rejected', async () => {
  const { batch } = byHand({ serial: true })
  const waiting = batch.add(1)
  const closed = batch.close()
  batch.rejectWaiting(new Error('not now'))
  await assert.rejects(waiting, /not now/)
  await closed
})
