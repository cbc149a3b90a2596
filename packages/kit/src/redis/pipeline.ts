// Several commands in one write, grouped by the master that they go to.
import calculateSlot from 'cluster-key-slot'
import type { Cluster } from 'ioredis'
import type { Sendable } from './call.ts'
import type { Command, RedisArgument, ScriptCommand } from './command.ts'
import { AH_KIT_REDIS_REFUSED } from './errors.ts'
import { classify, isRedirection, withoutArguments } from './failure.ts'
import { ScriptCall, type ScriptKnowledge } from './script-call.ts'
import type { RedisClient } from './target.ts'

/** What a pipeline needs of its connection. */
export interface PipelineContext {
  readonly client: RedisClient
  readonly isWrite: boolean
  readonly deadlineMs: number
  readonly scripts: ScriptKnowledge
  readonly call: <T>(what: Sendable<T>) => Promise<T>
}

/** A command or script, ready to go in a pipeline or, should that be needed, alone. */
interface Step {
  readonly key: RedisArgument | undefined
  words(client: RedisClient): RedisArgument[]
  readonly alone: Sendable<unknown>
}

/** Runs the commands, one pipeline per master. Never rejects: answers or coded Errors in the order of the commands. */
export async function runPipelines(
  context: PipelineContext,
  commands: readonly (Command | ScriptCommand)[],
): Promise<unknown[]> {
  const answers = new Array<unknown>(commands.length)
  const steps = commands.map((command) => stepOf(context, command))
  await Promise.all(
    byMaster(context.client, steps).map(async (indexes) => {
      const group = indexes.map((index) => steps[index] as Step)
      const results = await runPipeline(context, group)
      for (const [position, index] of indexes.entries()) answers[index] = results[position]
    }),
  )
  return answers
}

function stepOf({ isWrite, scripts }: PipelineContext, what: Command | ScriptCommand): Step {
  if ('script' in what) {
    const { script, keys, args } = what
    const alone = new ScriptCall<unknown>(script, scripts, { keys, args, buffers: false })
    return { key: keys[0], words: (client) => alone.words(client), alone }
  }
  const { command, args } = what
  const send = (client: RedisClient): Promise<unknown> => client.call(command, args as RedisArgument[])
  return { key: args[0], words: () => [command, ...args], alone: { name: command, isWrite, send } }
}

async function runPipeline(context: PipelineContext, steps: readonly Step[]): Promise<readonly unknown[]> {
  const deadline = performance.now() + context.deadlineMs
  const { call, isWrite } = context
  const name = `pipeline of ${steps[0]?.alone.name}`
  try {
    const answers = await call({ name, isWrite, send: (client) => sendPipeline(client, steps) })
    return await Promise.all(
      answers.map((answer, index) =>
        answer instanceof Error ? sendAgain(context, steps[index] as Step, answer, deadline) : answer,
      ),
    )
  } catch (error) {
    return steps.map(() => error)
  }
}

/** The indexes of the commands, one list per master; one list in all on a single server. */
function byMaster(client: RedisClient, steps: readonly Step[]): number[][] {
  if (steps.length === 0) return []
  if (!client.isCluster) return [steps.map((_, index) => index)]
  const { slots } = client as Cluster
  const groups = new Map<string, number[]>()
  for (const [index, { key }] of steps.entries()) {
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
async function sendPipeline(client: RedisClient, steps: readonly Step[]): Promise<unknown[]> {
  const answers = new Array<unknown>(steps.length)
  // One group, unless slots have moved since the commands were put together.
  await Promise.all(
    byMaster(client, steps).map(async (indexes) => {
      const batch = indexes.map((index) => ['call', ...(steps[index] as Step).words(client)] as string[])
      const results = (await client.pipeline(batch).exec()) ?? []
      for (const [position, index] of indexes.entries()) {
        const [error, answer] = results[position] ?? []
        answers[index] = error ?? answer
      }
    }),
  )
  const [first] = answers
  if (first instanceof Error && isNotNow(first) && answers.every((answer) => answer instanceof Error)) throw first
  return answers
}

/** Whether the whole pipeline may be sent again. A script that the server does not know is sent as text, each by itself. */
function isNotNow(error: Error): boolean {
  const failure = classify(error)
  return failure !== 'refused' && failure !== 'no-script'
}

/** What failed alone is sent alone, where the client follows redirections; unless the error is its answer. */
async function sendAgain(
  { call }: PipelineContext,
  { alone }: Step,
  thrown: Error,
  deadline: number,
): Promise<unknown> {
  if (classify(thrown) === 'refused' && !isRedirection(thrown)) {
    const cause = withoutArguments(thrown)
    return new AH_KIT_REDIS_REFUSED(alone.name, cause.message, { cause })
  }
  const withinMs = Math.max(1, deadline - performance.now())
  // A script may be unknown there: then it is sent as text.
  const teach = alone.teach && { teach: (client: RedisClient) => alone.teach?.(client) as Promise<unknown> }
  return call({
    name: alone.name,
    isWrite: alone.isWrite,
    withinMs,
    send: (client) => alone.send(client),
    ...teach,
  }).catch((error: Error) => error)
}
