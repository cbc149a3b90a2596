// Owns nodes that are processes of their own, and what they are told.
import { once } from 'node:events'
import type { Gap, PubSubOptions, PubSubStats } from 'fastify-ah-pubsub'
import { type SpawnedNode, spawnNode, type TestScope } from 'fastify-ah-test-support'

/** What a node has seen since it was asked last; `left` since its start. */
export interface Seen {
  readonly gaps: readonly Gap[]
  readonly left: readonly string[]
  readonly heard: readonly [channel: string, data: unknown][]
  readonly stats: PubSubStats
}

/** A running node. */
export interface NodeProcess {
  readonly id: string
  readonly process: SpawnedNode
  /** Has it do something; rejects with the code of its error. */
  ask<Result = unknown>(method: string, ...args: unknown[]): Promise<Result>
  seen(): Promise<Seen>
}

/** Starts `programs/node` and waits until its app is ready. */
export async function startNode(
  options: PubSubOptions,
  scope: TestScope,
  env: Record<string, string> = {},
): Promise<NodeProcess> {
  const file = new URL('./programs/node.js', import.meta.url)
  const process = spawnNode(file, { args: [JSON.stringify(options)], env, ipc: true }, scope)
  const [{ ready: id }] = (await once(process.child, 'message')) as [{ ready: string }]
  let count = 0
  const ask = <Result>(method: string, ...args: unknown[]): Promise<Result> => {
    count += 1
    const own = count
    return new Promise((resolve, reject) => {
      const hear = (answer: { id: number; result: Result; error?: string }): void => {
        if (answer.id !== own) return
        process.child.off('message', hear)
        if (answer.error === undefined) resolve(answer.result)
        else reject(Object.assign(new Error(answer.error), { code: answer.error }))
      }
      process.child.on('message', hear)
      process.child.send({ id: own, method, args })
    })
  }
  return { id, process, ask, seen: () => ask<Seen>('seen') }
}
