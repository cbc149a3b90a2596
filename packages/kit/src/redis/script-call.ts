// A script on its way: by its SHA where the server knows it, with its flags where the server knows flags.
import type { Sendable } from './call.ts'
import type { RedisArgument } from './command.ts'
import { classify } from './failure.ts'
import { masterOf } from './master-of.ts'
import type { Script } from './script.ts'
import type { RedisClient } from './target.ts'

/** What a connection knows of its servers: holds for all scripts. */
export class ScriptKnowledge {
  /** By master; a single server is the master ''. */
  readonly #taught = new Map<string, Set<Script>>()
  /** Whether the servers know flags; undefined until a script with flags was run. */
  knowsFlags: boolean | undefined

  /** The connection was made anew, perhaps to a server that knows nothing. */
  forget(): void {
    this.#taught.clear()
  }

  /** The scripts that were sent as text to the master of `key` since the connection is there. */
  of(client: RedisClient, key: string | undefined): Set<Script> {
    const master = masterOf(client, key ?? '')
    let scripts = this.#taught.get(master)
    if (scripts === undefined) {
      scripts = new Set()
      this.#taught.set(master, scripts)
    }
    return scripts
  }
}

/** What a script works on, and how its answer is read. */
export interface ScriptInput {
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
  /** Answers texts as bytes. */
  readonly buffers: boolean
}

/**
 * One run of a script. The first one on a connection carries the text: if it went by its SHA and the server did not
 * know it, its second try would come behind the calls that were made after it.
 */
export class ScriptCall<T> implements Sendable<T> {
  readonly #script: Script
  readonly #knowledge: ScriptKnowledge
  readonly #input: ScriptInput

  constructor(script: Script, knowledge: ScriptKnowledge, input: ScriptInput) {
    this.#script = script
    this.#knowledge = knowledge
    this.#input = input
  }

  get name(): string {
    return this.#script.name
  }

  get isWrite(): boolean {
    return this.#script.writes
  }

  send(client: RedisClient): Promise<T> {
    return this.#isFirst(client) ? this.teach(client) : this.#evaluate(client, 'evalsha', this.#text().sha)
  }

  /** The words of the command, for a pipeline that goes to the master of the first key. */
  words(client: RedisClient): [command: string, ...RedisArgument[]] {
    const { keys, args } = this.#input
    const { lua, sha } = this.#text()
    return [
      ...(this.#isFirst(client) ? (['eval', lua] as const) : (['evalsha', sha] as const)),
      keys.length,
      ...keys,
      ...args,
    ]
  }

  /** Sends the text; without its flags if the server takes them for Lua. */
  async teach(client: RedisClient): Promise<T> {
    const { lua } = this.#text()
    const { plain } = this.#script
    if (lua === plain.lua) return this.#evaluate(client, 'eval', lua)
    const knowledge = this.#knowledge
    try {
      const answer = await this.#evaluate(client, 'eval', lua)
      knowledge.knowsFlags = true
      return answer
    } catch (thrown) {
      if (knowledge.knowsFlags || !isAboutFlags(thrown as Error)) throw thrown
    }
    const answer = await this.#evaluate(client, 'eval', plain.lua)
    // Only now: a script that is wrong by itself says nothing about the server.
    knowledge.knowsFlags = false
    return answer
  }

  /** Whether the server is sure not to know it; from then on it does. */
  #isFirst(client: RedisClient): boolean {
    const taught = this.#knowledge.of(client, this.#input.keys[0])
    if (taught.has(this.#script)) return false
    taught.add(this.#script)
    return true
  }

  #text(): Script['text'] {
    return this.#knowledge.knowsFlags === false ? this.#script.plain : this.#script.text
  }

  #evaluate(client: RedisClient, command: 'eval' | 'evalsha', what: string): Promise<T> {
    const { keys, args, buffers } = this.#input
    const list = [what, keys.length, ...keys, ...args]
    return (buffers ? client.callBuffer(command, list) : client.call(command, list)) as Promise<T>
  }
}

// Redis before 7, and stores that only speak its protocol, take the first line for Lua and fail to compile it.
function isAboutFlags(error: Error): boolean {
  return classify(error) === 'refused' && /compil|unexpected symbol|syntax/i.test(error.message)
}
