// Several commands in one write, grouped by the master that they go to.
import calculateSlot from 'cluster-key-slot'
import type { Cluster } from 'ioredis'
import type { Sendable } from './call.ts'
import type { Command, RedisArgument } from './command.ts'
import { AH_KIT_REDIS_REFUSED } from './errors.ts'
import { classify, isRedirection, withoutArguments } from './failure.ts'
import type { RedisClient } from './target.ts'

/** What a pipeline needs of its connection. */
export interface PipelineContext {
  readonly client: RedisClient
  readonly isWrite: boolean
  readonly deadlineMs: number
  readonly call: <T>(what: Sendable<T>) => Promise<T>
}

/** Runs the commands, one pipeline per master. Never rejects: answers or coded Errors in the order of the commands. */
export async function runPipelines(context: PipelineContext, commands: readonly Command[]): Promise<unknown[]> {
  const answers = new Array<unknown>(commands.length)
  await Promise.all(
    byMaster(context.client, commands).map(async (indexes) => {
      const group = indexes.map((index) => commands[index] as Command)
      const results = await runPipeline(context, group)
      for (const [position, index] of indexes.entries()) answers[index] = results[position]
    }),
  )
  return answers
}

async function runPipeline(context: PipelineContext, commands: readonly Command[]): Promise<readonly unknown[]> {
  const deadline = performance.now() + context.deadlineMs
  const { call, isWrite } = context
  const name = `pipeline of ${commands[0]?.command}`
  try {
    const answers = await call({ name, isWrite, send: (client) => sendPipeline(client, commands) })
    return await Promise.all(
      answers.map((answer, index) =>
        answer instanceof Error ? sendAgain(context, commands[index] as Command, answer, deadline) : answer,
      ),
    )
  } catch (error) {
    return commands.map(() => error)
  }
}

/** The indexes of the commands, one list per master; one list in all on a single server. */
function byMaster(client: RedisClient, commands: readonly Command[]): number[][] {
  if (commands.length === 0) return []
  if (!client.isCluster) return [commands.map((_, index) => index)]
  const { slots } = client as Cluster
  const groups = new Map<string, number[]>()
  for (const [index, { args }] of commands.entries()) {
    const key = args[0]
    const slot = calculateSlot(Buffer.isBuffer(key) ? key : String(key))
    // ioredis wants one "allocation group", master and replicas alike; an unknown slot goes alone.
    const group = slots[slot]?.join() ?? `slot ${slot}`
    const list = groups.get(group)
    if (list === undefined) groups.set(group, [index])
    else list.push(index)
  }
  return [...groups.values()]
}

/** Answers or errors as they came. Rejects if all may be sent again: Redis could do none of them just now. */
async function sendPipeline(client: RedisClient, commands: readonly Command[]): Promise<unknown[]> {
  const answers = new Array<unknown>(commands.length)
  // One group, unless slots have moved since the commands were put together.
  await Promise.all(
    byMaster(client, commands).map(async (indexes) => {
      const batch = indexes.map((index) => {
        const { command, args } = commands[index] as Command
        return ['call', command, ...args] as string[]
      })
      const results = (await client.pipeline(batch).exec()) ?? []
      for (const [position, index] of indexes.entries()) {
        const [error, answer] = results[position] ?? []
        answers[index] = error ?? answer
      }
    }),
  )
  const [first] = answers
  if (first instanceof Error && classify(first) !== 'refused' && answers.every((answer) => answer instanceof Error)) {
    throw first
  }
  return answers
}

/** What failed alone is sent alone, where the client follows redirections; unless the error is its answer. */
async function sendAgain(
  { call, isWrite }: PipelineContext,
  { command, args }: Command,
  thrown: Error,
  deadline: number,
): Promise<unknown> {
  if (classify(thrown) === 'refused' && !isRedirection(thrown)) {
    const cause = withoutArguments(thrown)
    return new AH_KIT_REDIS_REFUSED(command, cause.message, { cause })
  }
  const withinMs = Math.max(1, deadline - performance.now())
  const send = (client: RedisClient): Promise<unknown> => client.call(command, args as RedisArgument[])
  return call({ name: command, isWrite, withinMs, send }).catch((error: Error) => error)
}
