// What a pipeline sends, as data.
import type { Script } from './script.ts'

/** An argument of a Redis command. */
export type RedisArgument = string | Buffer | number

/** A command in a pipeline; its first argument is its key. */
export interface Command {
  readonly command: string
  readonly args: readonly RedisArgument[]
}

/** A script in a pipeline. One with `allowOom` goes through `run`: only there it is tried without its flags. */
export interface ScriptCommand {
  readonly script: Script
  /** On Cluster they share a slot. */
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
}
