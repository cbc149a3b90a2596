// A Redis command as data.

/** An argument of a Redis command. */
export type RedisArgument = string | Buffer | number

/** A command in a pipeline; its first argument is its key. */
export interface Command {
  readonly command: string
  readonly args: readonly RedisArgument[]
}
