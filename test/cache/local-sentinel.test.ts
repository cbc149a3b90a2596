// The local tier behind Sentinel, while the master changes.
import { test } from 'node:test'
import { startSentinel, until } from 'fastify-ah-test-support'
import { changesAreSeen, untilTracking, warm } from './local-reads.ts'
import { openCache } from './open-cache.ts'

const local = { max: 1_000 }

test('[20] [4] Sentinel: with the master killed, frozen or demoted nothing old is served at rest', async (t) => {
  const sentinel = await startSentinel({}, t)
  const redis = { sentinels: sentinel.sentinels, name: sentinel.name }
  const cache = await openCache({ redis, local }, t)
  const writer = await openCache({ redis }, t)
  await untilTracking(cache)
  await changesAreSeen(cache, writer, ['k'])

  for (const fault of ['demote', 'kill', 'pause'] as const) {
    await warm(cache, 'k')
    const old = await sentinel.master()
    if (fault === 'demote') await sentinel.demoteMaster()
    if (fault === 'kill') await sentinel.killMaster()
    if (fault === 'pause') await sentinel.pauseMaster()
    await until(async () => (await sentinel.master()) !== old, { deadlineMs: 30_000 })
    const value = `written after ${fault}`
    await until(() => writer.save('k', value), { deadlineMs: 20_000 })
    // The new master's word, or Redis' own: never what the old one had.
    await until(async () => (await cache.get('k')) === value, { deadlineMs: 20_000 })
    await untilTracking(cache)
    await changesAreSeen(cache, writer, ['k'])
    if (fault === 'pause') old.resume()
    if (fault === 'kill') await old.restart()
    await until(async () => String(await old.command('INFO', 'replication')).includes('master_link_status:up'), {
      deadlineMs: 30_000,
    })
  }
})
