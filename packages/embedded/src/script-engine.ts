// The server's state with a Lua engine that survives what scripts do to it.

import {
  createRedisLuaRuntime,
  type LuaReplyValue,
  RedisCommandError,
  type RedisLuaRuntime,
  RedisServerState,
  setLuaWasmLoadOptions,
} from 'js-redis-server/core'

/** Lua instructions of one script: about 5 s, the time after which Redis calls a script busy. */
const MAX_INSTRUCTIONS = 300_000_000
/** Tables in tables. From about 40 on the engine writes over its own memory. */
const MAX_DEPTH = 20

/**
 * WebAssembly memory only grows, up to a limit. A script that passes it, or whose reply is nested too deep, leaves an
 * engine behind that fails every later script, so such an engine is thrown away and the next script gets a new one.
 */
export class EmbeddedState extends RedisServerState {
  #engine: Promise<RedisLuaRuntime> | undefined

  override getLuaRuntime(): Promise<RedisLuaRuntime> {
    this.#engine ??= this.#load()
    return this.#engine
  }

  async #load(): Promise<RedisLuaRuntime> {
    // A setting of the whole process, read when loading begins: put back at once, others may run such a server too.
    setLuaWasmLoadOptions({ limits: { maxFuel: MAX_INSTRUCTIONS } })
    const loading = createRedisLuaRuntime(this.profile)
    setLuaWasmLoadOptions({})
    const engine = await loading.catch((error) => {
      this.#engine = undefined
      throw error
    })
    const evaluate = engine.eval.bind(engine)
    engine.eval = (script, ...rest) => {
      try {
        const reply = evaluate(withoutFlags(script), ...rest)
        if (isDeeper(reply, MAX_DEPTH)) this.#engine = undefined
        return reply
      } catch (cause) {
        if (cause instanceof RedisCommandError) throw cause
        this.#engine = undefined
        throw new Error(`the script broke the embedded store's Lua engine: ${(cause as Error).message}`, { cause })
      }
    }
    return engine
  }
}

/**
 * The engine takes the line with a script's flags for Lua, which it is not. The flags that only lift restrictions mean
 * nothing here, so the line becomes a comment; any other stays, and is an error.
 */
function withoutFlags(script: Buffer): Buffer {
  const text = script.subarray(0, 200).toString('latin1')
  if (!/^#!lua( flags=(allow-oom|allow-stale|no-cluster|allow-cross-slot-keys|,)*)?\n/.test(text)) return script
  return Buffer.concat([Buffer.from('--'), script.subarray(2)])
}

function isDeeper(reply: LuaReplyValue, levels: number): boolean {
  return Array.isArray(reply) && (levels === 0 || reply.some((item) => isDeeper(item, levels - 1)))
}
