// An error that travels from a worker to the primary: text only, bounded, causes included.
import { toError } from 'fastify-ah-kit'

/** An error as plain data. */
export interface ErrorReport {
  /** Name of its class: `TypeError`. */
  readonly type: string
  readonly message: string
  /** With the stacks of its causes. */
  readonly stack: string
  readonly code?: string
}

const LONGEST_MESSAGE = 4_000
// Well below what the channel's socket buffer takes in one go: the report must leave although the worker is about to die.
const LONGEST_STACK = 16_000
const DEEPEST_CAUSE = 5
const MOST_FRAMES = 5

/** The report of anything that was thrown. */
export function reportOf(thrown: unknown): ErrorReport {
  const error = toError(thrown)
  const { code } = error as NodeJS.ErrnoException
  return {
    type: error.constructor?.name || error.name,
    message: messageOf(error).slice(0, LONGEST_MESSAGE),
    stack: stackOf(error, 0).slice(0, LONGEST_STACK),
    ...(typeof code === 'string' ? { code } : {}),
  }
}

/** The report as one text for a terminal: what it says, and of each stack the lines that lie in the app's own files. */
export function usefulText(report: ErrorReport): string {
  const shown: string[] = []
  let frames: string[] = []
  for (const line of [...report.stack.split('\n'), '']) {
    if (/^\s+at /.test(line)) {
      frames.push(line)
      continue
    }
    shown.push(...usefulFrames(frames))
    frames = []
    if (line !== '') shown.push(line)
  }
  return shown.join('\n')
}

function usefulFrames(frames: readonly string[]): readonly string[] {
  const own = frames.filter((frame) => !/node_modules|node:|\/packages\/(cluster\/dist|fastify-ah\/bin)\//.test(frame))
  // An error that was made far from the app's code: the place where it was made is better than none.
  return own.length > 0 ? own.slice(0, MOST_FRAMES) : frames.slice(0, 1)
}

/** Errors of several addresses at once (ECONNREFUSED over ::1 and 127.0.0.1) come with an empty message of their own. */
function messageOf(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map((inner) => messageOf(toError(inner))).join('; ')
  return (error as NodeJS.ErrnoException).code ?? ''
}

function stackOf(error: Error, depth: number): string {
  // A stack may be anything that the app made of it.
  const own = typeof error.stack === 'string' && error.stack !== '' ? error.stack : `${error.name}: ${messageOf(error)}`
  if (error.cause === undefined || depth >= DEEPEST_CAUSE) return own
  return `${own}\ncaused by: ${stackOf(toError(error.cause), depth + 1)}`
}
