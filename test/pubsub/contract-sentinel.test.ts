// The contract behind Sentinel.
import { test } from 'node:test'
import { startSentinel } from 'fastify-ah-test-support'
import { transportContract } from './contract.ts'

const sentinel = await startSentinel({}, test)
const { sentinels, name } = sentinel

transportContract('the master behind Sentinel', {
  options: { redis: { sentinels, name } },
  hasPatterns: true,
  cut: async () => {
    await (await sentinel.master()).command('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes')
  },
})
