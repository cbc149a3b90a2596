// The contract on the embedded store: every command and script that stats send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { statsContract } from './contract.ts'
import { openApp, openStats } from './open-stats.ts'

const store = await startEmbeddedStore()
test.after(() => store.close())

statsContract('the embedded store', (options, scope) => openStats({ redis: store.path, ...options }, scope))

test('without any Redis the store of the app itself is used', async (t) => {
  const { app, stats } = await openApp({ embedded: true }, t)
  stats.increment('a')
  await stats.write()
  assert.equal(await stats.get('a'), 1)
  await app.close()
})
