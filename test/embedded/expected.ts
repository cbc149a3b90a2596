// Owns what a reply may be said to be, and the comparison.
import assert from 'node:assert/strict'

/** An argument of a command. Texts are sent as UTF-8. */
export type Argument = string | number | Buffer

/** What a reply has to be: texts as latin1, so that each byte is one character; arrays item by item. */
export type Expected = string | number | null | readonly Expected[] | Matcher

/** A reply that is not known to the letter. */
export interface Matcher {
  readonly words: string
  accepts(reply: unknown): boolean
}

/** One command and its reply. */
export interface Step {
  readonly send: readonly [string, ...Argument[]]
  readonly reply: Expected
}

/** A step, to be read as a sentence: `send('GET', 'k').replies('v')`. */
export function send(...command: [string, ...Argument[]]): { replies(reply: Expected): Step } {
  return { replies: (reply) => ({ send: command, reply }) }
}

/** An error reply that begins so. */
export function error(text: string): Matcher {
  return {
    words: `an error that begins "${text}"`,
    accepts: (reply) => reply instanceof Error && reply.message.startsWith(text),
  }
}

export function between(low: number, high: number): Matcher {
  const isInside = (reply: unknown) => typeof reply === 'number' && reply >= low && reply <= high
  return { words: `an integer from ${low} to ${high}`, accepts: isInside }
}

export function matching(pattern: RegExp): Matcher {
  return { words: `a text like ${pattern}`, accepts: (reply) => typeof reply === 'string' && pattern.test(reply) }
}

/** An array of these texts in any order. */
export function inAnyOrder(...items: string[]): Matcher {
  const sorted = items.toSorted()
  const accepts = (reply: unknown) => Array.isArray(reply) && isEqual(reply.toSorted(), sorted)
  return { words: `${JSON.stringify(items)} in any order`, accepts }
}

/** Throws unless the reply is what was expected. */
export function assertReply(command: readonly Argument[], reply: unknown, expected: Expected): void {
  const what = command.map((part) => (Buffer.isBuffer(part) ? `<${part.length} bytes>` : String(part))).join(' ')
  if (reply instanceof Error && !isMatcher(expected)) assert.fail(`${what}: the reply is an error: ${reply.message}`)
  if (!fits(reply, expected)) assert.fail(`${what}: expected ${shown(expected)}, got ${shown(reply)}`)
}

function fits(reply: unknown, expected: Expected): boolean {
  if (isMatcher(expected)) return expected.accepts(reply)
  if (!Array.isArray(expected)) return reply === expected
  return (
    Array.isArray(reply) &&
    reply.length === expected.length &&
    expected.every((item: Expected, index) => fits(reply[index], item))
  )
}

function isMatcher(expected: Expected): expected is Matcher {
  return typeof expected === 'object' && expected !== null && 'accepts' in expected
}

function isEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

function shown(value: unknown): string {
  if (value instanceof Error) return `the error "${value.message}"`
  return JSON.stringify(value, (_, inner) => (isMatcher(inner) ? inner.words : inner))
}
