// Owns what the contract needs to know of the tasks that it is run against.
import type { Tasks } from 'fastify-ah-tasks'
import type { TestScope } from 'fastify-ah-test-support'
import type { Cluster, Redis } from 'ioredis'
import type { OpenOptions } from '../open-tasks.ts'

export interface TasksUnderTest {
  /** Tasks in an app of their own, in the namespace {@link Place.namespace} of the test. */
  readonly open: (options: OpenOptions, scope: TestScope) => Promise<Tasks>
  /** A client of its own on the same Redis, to look behind the back of the tasks. */
  readonly redis: Redis | Cluster
  /** The full name of a key of the namespace. */
  readonly key: (namespace: string, name: string) => string
}

let names = 0

/** A namespace that no other test of this process uses. */
export function freshNamespace(): string {
  names += 1
  return `contract-${names}`
}
