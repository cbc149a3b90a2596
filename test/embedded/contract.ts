// Owns the whole contract and how a server is held to a part of it.
import type { Redis } from 'ioredis'
import { type Contract, commands } from './commands.ts'
import { assertReply, type Step } from './expected.ts'
import { scripts } from './scripts.ts'
import { replyOf } from './stores.ts'
import { structures } from './structures.ts'

export const contract: Contract = { ...commands, ...scripts, ...structures }

/** Sends the steps to an empty store, in order, and throws at the first reply that is not as expected. */
export async function assertFulfils(client: Redis, steps: readonly Step[]): Promise<void> {
  await client.flushall()
  await client.script('FLUSH')
  for (const { send, reply } of steps) assertReply(send, await replyOf(client, send), reply)
}
