// What is said over the control socket: one request a connection, lines of JSON, the last of them the outcome.
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { ClusterStatus, ReloadProgress } from './types.ts'

/** What is asked. */
export type ControlRequest =
  | { readonly verb: 'status' }
  | { readonly verb: 'reload' }
  | { readonly verb: 'stop' }
  | { readonly verb: 'scale'; readonly to?: number; readonly by?: number; readonly role?: string }

/** How far it is. */
export type ControlProgress =
  | { readonly reload: ReloadProgress }
  /** How many workers are still there. */
  | { readonly stopping: number }

/** How it ended. */
export type ControlOutcome =
  | { readonly status: ClusterStatus }
  | { readonly reloaded: number }
  | { readonly stopped: { readonly isGraceful: boolean } }
  | { readonly scaled: { readonly role: string | undefined; readonly workers: number } }
  | { readonly error: { readonly code: string; readonly message: string } }

/** A line of the answer. */
export type ControlLine = { readonly progress: ControlProgress } | { readonly outcome: ControlOutcome }

/** The objects on a stream, one a line; what is no object ends it with a SyntaxError. */
export async function* readObjects(stream: Readable): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null)
      throw new SyntaxError(`expected an object, got ${line.slice(0, 80)}`)
    yield value as Record<string, unknown>
  }
}

/** What was asked, or undefined if it is no request. */
export function openRequest(raw: Readonly<Record<string, unknown>>): ControlRequest | undefined {
  const { verb, to, by, role } = raw
  if (verb === 'status' || verb === 'reload' || verb === 'stop') return { verb }
  if (verb !== 'scale' || (role !== undefined && typeof role !== 'string')) return undefined
  const meant = role === undefined ? {} : { role }
  if (Number.isSafeInteger(to) && by === undefined) return { verb, to: to as number, ...meant }
  if (Number.isSafeInteger(by) && to === undefined) return { verb, by: by as number, ...meant }
  return undefined
}
