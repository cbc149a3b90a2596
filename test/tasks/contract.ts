// The contract of the engine: what holds on one Redis and on a Redis Cluster alike.
import { describe } from 'node:test'
import { controlContract } from './contract/controls.ts'
import { enqueueContract } from './contract/enqueues.ts'
import { lookContract } from './contract/looks.ts'
import { planContract } from './contract/plans.ts'
import { runContract } from './contract/runs.ts'
import type { TasksUnderTest } from './contract/tasks-under-test.ts'

/** Registers the whole contract as tests of the running file. */
export function tasksContract(name: string, subject: TasksUnderTest): void {
  describe(name, () => {
    describe('enqueuing', () => enqueueContract(subject))
    describe('running', () => runContract(subject))
    describe('controlling', () => controlContract(subject))
    describe('planning', () => planContract(subject))
    describe('looking', () => lookContract(subject))
  })
}
