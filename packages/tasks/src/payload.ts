// Owns the bytes of a job in a queue: node-resque's, with our own member spliced in at the end where it is needed.
import { type Carrier, carrierIn } from 'fastify-ah-kit'
import secureJson from 'secure-json-parse'
import { AH_TASKS_INPUTS, AH_TASKS_PAYLOAD } from './errors.ts'
import type { QueuedJob } from './types.ts'

/** What a job carries beside what Resque knows: the member `ah`, the last one of the payload. */
export interface JobMeta {
  /** Format; a release leaves alone what is newer than what it knows. */
  readonly v: 1
  readonly id: string
  /** Of the try; absent for the first. */
  readonly attempt?: number
  /** Its outcome is kept. */
  readonly track?: true
  readonly timeoutMs?: number
  /** The tick of a recurring task, in ms. */
  readonly tick?: number
  /** From when on it waits, in ms by the clock of who enqueued it. */
  readonly at?: number
  /** The trace context of who enqueued it, and what else subscribers of the tracing channels agree on. */
  readonly carrier?: Carrier
}

/** A job as it is run. */
export interface ParsedPayload {
  readonly job: QueuedJob
  readonly args: readonly unknown[]
  readonly meta: JobMeta | undefined
}

const metaStart = ',"ah":'

/** The bytes that node-resque would write. Throws `AH_TASKS_INPUTS` for what no payload can hold. */
export function encodeBare(queue: string, name: string, args: readonly unknown[]): string {
  // JSON would make null of these, in silence.
  const odd = args.find((one) => typeof one === 'function' || typeof one === 'symbol')
  if (odd !== undefined) throw new AH_TASKS_INPUTS(`the inputs of the task ${name} are a ${typeof odd}: JSON has none`)
  try {
    const text = JSON.stringify({ class: name, queue, args })
    // Who reads it would refuse it.
    if (suspicious.test(text)) secureJson.parse(text)
    return text
  } catch (cause) {
    throw new AH_TASKS_INPUTS(`the inputs of the task ${name} cannot be kept as JSON: ${(cause as Error).message}`, {
      cause,
    })
  }
}

const suspicious = /"(?:__proto__|constructor)"/

/** The payload with `meta` as its last member, in the place of one that it has. */
export function withMeta(payload: string, meta: JobMeta): string {
  return `${withoutMeta(payload)}${metaStart}${JSON.stringify(meta)}}`
}

/** The payload as it was before it got a member of ours: what runs again from the start. */
export function withoutMetaOf(payload: string): string {
  return `${withoutMeta(payload)}}`
}

/** The payload up to its own member, without the closing brace. */
function withoutMeta(payload: string): string {
  const start = payload.lastIndexOf(metaStart)
  if (start < 0) return payload.slice(0, payload.lastIndexOf('}'))
  // What only looks like it lies deeper, inside of args, and does not end with the payload.
  const tail = payload.slice(start + metaStart.length, payload.lastIndexOf('}'))
  return isMetaText(tail) ? payload.slice(0, start) : payload.slice(0, payload.lastIndexOf('}'))
}

/** From when on a job waits, by the member at the end of these bytes; undefined if it does not say so. Never throws. */
export function waitsSince(text: string): number | undefined {
  const start = text.lastIndexOf(metaStart)
  if (start < 0) return undefined
  try {
    return metaOf(secureJson.parse(text.slice(start + metaStart.length, text.lastIndexOf('}'))))?.at
  } catch {
    // What only looks like it.
    return undefined
  }
}

function isMetaText(text: string): boolean {
  try {
    return JSON.parse(text)?.v !== undefined
  } catch {
    // Not a value by itself, so it is no member at the end.
    return false
  }
}

/** Reads a payload from a queue; throws `AH_TASKS_PAYLOAD` for what cannot be run. */
export function parsePayload(text: string): ParsedPayload {
  let job: unknown
  try {
    // As `JSON.parse`, but refuses members that would change an object's prototype.
    job = secureJson.parse(text)
  } catch (cause) {
    throw new AH_TASKS_PAYLOAD(`the payload is no JSON that can be run: ${(cause as Error).message}`, { cause })
  }
  if (typeof job !== 'object' || job === null || Array.isArray(job)) {
    throw new AH_TASKS_PAYLOAD('the payload is no object')
  }
  const { class: name, args = [], ah } = job as Record<string, unknown>
  if (typeof name !== 'string' || name === '') throw new AH_TASKS_PAYLOAD('the payload names no class')
  if (!Array.isArray(args)) throw new AH_TASKS_PAYLOAD(`the arguments of the task ${name} are no list`)
  return { job: job as QueuedJob, args, meta: metaOf(ah) }
}

/** Whether a newer release wrote it: then it is not ours to run. */
export function isNewerFormat(ah: unknown): boolean {
  return typeof ah === 'object' && ah !== null && Number((ah as { v?: unknown }).v) > 1
}

function metaOf(ah: unknown): JobMeta | undefined {
  if (typeof ah !== 'object' || ah === null) return undefined
  const { v, id, attempt, track, timeoutMs, tick, at, carrier } = ah as Record<string, unknown>
  if (v !== 1 || typeof id !== 'string') return undefined
  const carried = carrier === undefined ? undefined : carrierIn(carrier)
  return {
    v,
    id,
    ...(isCount(attempt) && { attempt }),
    ...(track === true && { track }),
    ...(isCount(timeoutMs) && { timeoutMs }),
    ...(isCount(tick) && { tick }),
    ...(isCount(at) && { at }),
    ...(carried !== undefined && { carrier: carried }),
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}
