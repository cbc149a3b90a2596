// The contract on the embedded store.
import { test } from 'node:test'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { transportContract } from './contract.ts'

const store = await startEmbeddedStore()
test.after(() => store.close())

transportContract('the embedded store', { options: { redis: store.path }, hasPatterns: true })
