// What a command is to the program.

import type { Environment } from './environment.ts'
import type { CommandHelp } from './help.ts'

/** What a command gets. */
export interface Invocation {
  /** What follows the command's name. */
  readonly args: readonly string[]
  readonly environment: Environment
  /** A line on stdout. */
  print(line: string): void
  /** A line on stderr. */
  warn(line: string): void
}

/** A command of the program. */
export interface Command {
  /** As it is typed, with spaces. */
  readonly name: string
  readonly help: CommandHelp
  /** Answers the exit code, or that its help is wanted. */
  run(invocation: Invocation): Promise<number | 'help'>
}
