// The contract of a cache: what holds on one Redis, on a Redis Cluster, and in a namespace alike.
import { describe } from 'node:test'
import { batchContract } from './contract/batches.ts'
import type { CacheUnderTest } from './contract/cache-under-test.ts'
import { counterContract } from './contract/counters.ts'
import { dumpContract } from './contract/dumps.ts'
import { keyContract } from './contract/keys.ts'
import { listingContract } from './contract/listing.ts'
import { listContract } from './contract/lists.ts'
import { lockedRunContract } from './contract/locked-runs.ts'
import { lockContract } from './contract/locks.ts'
import { namespaceContract } from './contract/namespaces.ts'
import { overtakenContract } from './contract/overtaken.ts'
import { produceContract } from './contract/produces.ts'
import { tagContract } from './contract/tags.ts'
import { valueContract } from './contract/values.ts'

/** Registers the whole contract as tests of the running file. */
export function cacheContract(name: string, subject: CacheUnderTest): void {
  describe(name, () => {
    describe('values', () => valueContract(subject))
    describe('batches', () => batchContract(subject))
    describe('keys', () => keyContract(subject))
    describe('locks', () => lockContract(subject))
    describe('locked runs', () => lockedRunContract(subject))
    describe('produced values', () => produceContract(subject))
    describe('produced values that are overtaken', () => overtakenContract(subject))
    describe('tags', () => tagContract(subject))
    describe('counters', () => counterContract(subject))
    describe('lists', () => listContract(subject))
    describe('listing', () => listingContract(subject))
    describe('namespaces', () => namespaceContract(subject))
    describe('dumps', () => dumpContract(subject))
  })
}
