// Owns child processes that work jobs.
import { once } from 'node:events'
import type { TasksOptions } from 'fastify-ah-tasks'
import { type SpawnedNode, type SpawnNodeOptions, spawnNode, type TestScope, until } from 'fastify-ah-test-support'

/** What a worker has said by IPC. */
export type Said = Record<string, unknown>

/** A worker and what it has said so far. */
export interface WorkerChild extends SpawnedNode {
  readonly said: Said[]
}

const program = new URL('./programs/worker.js', import.meta.url)

/** Starts one and waits until it is ready. */
export async function startWorker(
  url: string,
  options: TasksOptions,
  scope: TestScope,
  spawn: SpawnNodeOptions = {},
): Promise<WorkerChild> {
  const node = spawnNode(program, { args: [url, JSON.stringify(options)], ipc: true, ...spawn }, scope)
  const said: Said[] = []
  node.child.on('message', (message) => said.push(message as Said))
  await Promise.race([
    until(() => said.some(({ ready }) => ready === true), { deadlineMs: 20_000 }),
    once(node.child, 'exit'),
  ])
  return Object.assign(node, { said })
}
