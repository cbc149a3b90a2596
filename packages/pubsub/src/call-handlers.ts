// Owns the handlers of calls: by name in a Map, so that no name that every object has is one.
import { toError, within } from 'fastify-ah-kit'
import { AH_PUBSUB_HANDLER_TAKEN, AH_PUBSUB_INVALID, AH_PUBSUB_NOT_ALLOWED, AH_PUBSUB_OPTIONS } from './errors.ts'
import { type Check, checkIn } from './schema.ts'
import { shown } from './shown.ts'
import { tracedHandle } from './traces.ts'
import type { CallHandler, CallInfo } from './types.ts'

interface Entry {
  readonly handler: CallHandler
  readonly check: Check | undefined
}

const longestName = 256

/** What other nodes may call here, and nothing else. */
export class CallHandlers {
  readonly #entries = new Map<string, Entry>()
  readonly #onChange: () => void
  /** The end of each run's time, in ms of the monotonic clock. */
  readonly #running = new Set<{ readonly endsAt: number }>()
  #onIdle: (() => void)[] = []

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /** Answers how to take it back. */
  add(name: unknown, options: unknown, handler: unknown): () => void {
    checkCallName(name)
    if (typeof handler !== 'function') {
      throw new AH_PUBSUB_OPTIONS(`handle: expected a function for calls of ${shown(name)}, got ${shown(handler)}`)
    }
    if (this.#entries.has(name)) throw new AH_PUBSUB_HANDLER_TAKEN(name)
    const entry: Entry = { handler: handler as CallHandler, check: checkIn(options, `the arguments of ${shown(name)}`) }
    this.#entries.set(name, entry)
    this.#onChange()
    return () => {
      if (this.#entries.get(name) !== entry) return
      this.#entries.delete(name)
      this.#onChange()
    }
  }

  /** What the handler answers, for somebody who waits so many ms; rejects with a coded error for a name that has none and arguments that do not fit. */
  async run({ name, args, carrier }: Readonly<Record<string, unknown>>, info: CallInfo, ms: number): Promise<unknown> {
    const entry = typeof name === 'string' ? this.#entries.get(name) : undefined
    if (entry === undefined) throw new AH_PUBSUB_NOT_ALLOWED(String(name), 'there is no handler of that name here')
    const wrong = entry.check?.(args)
    if (wrong !== undefined) throw new AH_PUBSUB_INVALID(wrong)
    const run = { endsAt: performance.now() + ms }
    this.#running.add(run)
    try {
      return await tracedHandle({ name, node: info.from, args }, carrier, async () => entry.handler(args, info))
    } catch (thrown) {
      throw toError(thrown)
    } finally {
      this.#running.delete(run)
      if (this.#running.size === 0) for (const done of this.#onIdle.splice(0)) done()
    }
  }

  /** Resolves when no handler is at work for somebody who still waits. */
  async idle(): Promise<void> {
    const last = Math.max(...[...this.#running].map(({ endsAt }) => endsAt))
    const left = Math.max(0, last - performance.now())
    if (this.#running.size === 0 || left === 0) return
    await within(left, new Promise<void>((resolve) => this.#onIdle.push(resolve)), () => undefined)
  }
}

/** Throws `AH_PUBSUB_OPTIONS` for what is no name of a call. */
export function checkCallName(name: unknown): asserts name is string {
  if (typeof name === 'string' && name !== '' && name.length <= longestName) return
  throw new AH_PUBSUB_OPTIONS(`expected the name of a call, 1 to ${longestName} characters, got ${shown(name)}`)
}
