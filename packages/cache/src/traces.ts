// What happens, for those who listen on diagnostics_channel: nothing is made for nobody.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type { Scope } from './scope.ts'

/** What a subscriber gets; `result` and `error` come from Node, as of any tracing channel. */
export interface CacheTrace {
  /** As the cache without namespaces would be asked for it. */
  readonly key: unknown
  readonly owner: string
  result?: unknown
  error?: unknown
}

const channel = (verb: string): TracingChannel => tracingChannel(`fastify-ah-cache:${verb}`)

/** Of `tracing:fastify-ah-cache:<verb>:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. */
export const traces = {
  get: channel('get'),
  load: channel('load'),
  save: channel('save'),
  destroy: channel('destroy'),
  increment: channel('increment'),
  push: channel('push'),
  pop: channel('pop'),
  lock: channel('lock'),
  withLock: channel('with-lock'),
  getOrSet: channel('get-or-set'),
  /** A run of a `produce` function in this process. */
  produce: channel('produce'),
} as const

/** Runs `work`, told to those who listen. */
export function traced<T>(trace: TracingChannel, scope: Scope, key: unknown, work: () => Promise<T>): Promise<T> {
  return trace.hasSubscribers ? trace.tracePromise(work, contextOf(scope, key)) : work()
}

function contextOf({ keys, owner }: Scope, key: unknown): CacheTrace {
  return { key: typeof key === 'string' ? keys.fullName(key) : key, owner }
}
