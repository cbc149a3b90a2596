// Tests Redis under Sentinel.
import assert from 'node:assert/strict'
import test from 'node:test'
import { startSentinel, until } from './index.ts'

for (const way of ['killMaster', 'pauseMaster'] as const) {
  test(`${way}: the replica becomes master and has what was written`, async (t) => {
    const sentinel = await startSentinel({}, t)
    const [master, replica] = [await sentinel.master(), await sentinel.replica()]
    assert.notEqual(master, replica)
    const client = sentinel.client()
    await client.set('key', 'value')
    await client.call('WAIT', 1, 0)

    assert.equal(await sentinel[way](), master)
    await until(async () => (await sentinel.master()) === replica, { deadlineMs: 30_000 })
    assert.equal(await sentinel.replica(), master)
    assert.equal(await until(() => client.get('key')), 'value')
  })
}

test('demoteMaster: connections to the old master stay and are told READONLY', async (t) => {
  const sentinel = await startSentinel({}, t)
  const old = await sentinel.master()
  const client = old.client()
  await client.set('key', 'value')
  let closes = 0
  client.on('close', () => closes++)

  assert.equal(await sentinel.demoteMaster(), old)
  await assert.rejects(client.set('key', 'other'), /READONLY/)
  assert.equal(closes, 0)
  const master = await sentinel.master()
  assert.notEqual(master, old)
  assert.equal(await master.command('SET', 'key', 'third'), 'OK')
  assert.equal(await until(async () => (await client.get('key')) === 'third'), true)
})

test('the sentinels can be away for a while', async (t) => {
  const sentinel = await startSentinel({}, t)
  const [master, replica] = [await sentinel.master(), await sentinel.replica()]
  await sentinel.stopSentinels()
  assert.equal(await sentinel.master(), master)
  await sentinel.killMaster()
  await sentinel.startSentinels()
  await until(async () => (await sentinel.master()) === replica, { deadlineMs: 30_000 })
})
