// Owns how what a caller asks for becomes an order: checked options, checked inputs, the payload's bytes.
import { randomUUID } from 'node:crypto'
import { longestTimerMs } from 'fastify-ah-kit'
import { refuse } from './call-check.ts'
import type { DefinedTask } from './definitions.ts'
import { AH_TASKS_OPTIONS } from './errors.ts'
import { encodeBare, type JobMeta, withMeta } from './payload.ts'
import { checkQueueName } from './queue-name.ts'
import type { Due, Order, OrderExtras } from './store/waiting.ts'
import type { EnqueueOptions } from './types.ts'

const known = new Set(['queue', 'delayMs', 'at', 'id', 'dedupe', 'track', 'front', 'timeoutMs'])
// An id or key is part of a Redis key.
const longestId = 512

/** A job that is ready to be put somewhere. */
export interface EnqueuePlan {
  readonly order: Order
  /** Where the job has one. */
  readonly id: string | undefined
}

/** Throws `AH_TASKS_OPTIONS`, `AH_TASKS_QUEUE` or `AH_TASKS_INPUTS`; nothing was sent then. */
export function planEnqueue(
  { definition, checkInputs }: DefinedTask,
  inputs: unknown,
  options: EnqueueOptions,
  trackMs: number,
  lockOf?: (queue: string, args: readonly unknown[]) => NonNullable<OrderExtras['lock']>,
): EnqueuePlan {
  checkEnqueueOptions(options)
  const { track, timeoutMs, dedupe, front, id } = options
  const queue = options.queue === undefined ? definition.queue : checkQueueName(options.queue)
  const checked = definition.schema === undefined ? inputs : checkInputs(copyOf(inputs, definition.name))
  const args = [checked === undefined ? {} : checked]
  const bare = encodeBare(queue, definition.name, args)
  const due = dueOf(options)
  if (front === true && due !== undefined) {
    throw new AH_TASKS_OPTIONS(
      'front and a later time exclude each other: a planned job goes to the end of its queue when its time has come',
    )
  }
  const lock = lockOf && whileDue(lockOf(queue, args), due)
  if (id === undefined && track !== true && timeoutMs === undefined && dedupe === undefined && lock === undefined) {
    return { order: { queue, payload: bare, isFront: front === true, due }, id: undefined }
  }
  const meta: JobMeta = {
    v: 1,
    id: id ?? randomUUID(),
    ...(track && { track }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
  const extras = { id: meta.id, trackMs: track ? trackMs : 0, dedupe, lock }
  return { order: { queue, payload: withMeta(bare, meta), isFront: front === true, due, extras }, id: meta.id }
}

/** A job that is planned for later is locked until then, too. */
function whileDue({ key, ms }: NonNullable<OrderExtras['lock']>, due: Due | undefined): OrderExtras['lock'] {
  if (due === undefined) return { key, ms }
  return { key, ms: ms + Math.max(0, Math.round('at' in due ? due.at - Date.now() : due.inMs)) }
}

// A check fills in defaults and converts: not in the caller's object.
function copyOf(inputs: unknown, name: string): unknown {
  if (inputs === undefined) return {}
  const text = encodeBare('', name, [inputs])
  return JSON.parse(text).args[0]
}

function dueOf({ delayMs, at }: EnqueueOptions): Due | undefined {
  if (delayMs !== undefined) return delayMs > 0 ? { inMs: delayMs } : undefined
  return at === undefined ? undefined : { at: Number(at) }
}

/** Throws `AH_TASKS_OPTIONS` with the first thing that is wrong. */
function checkEnqueueOptions(options: unknown): asserts options is EnqueueOptions {
  if (typeof options !== 'object' || options === null)
    refuse('the options of an enqueue', 'an object or the name of a queue', options)
  const given = options as Record<string, unknown>
  for (const name of Object.keys(given)) {
    if (!known.has(name))
      throw new AH_TASKS_OPTIONS(`unknown option "${name}" of an enqueue; there are: ${[...known].join(', ')}`)
  }
  const { delayMs, at, id, dedupe, track, front, timeoutMs } = given
  if (delayMs !== undefined && !isDuration(delayMs, 0)) refuse('delayMs', 'a whole number of ms', delayMs)
  if (at !== undefined && !isTime(at)) refuse('at', 'a Date or ms since 1970', at)
  if (delayMs !== undefined && at !== undefined) throw new AH_TASKS_OPTIONS('delayMs and at exclude each other')
  if (id !== undefined && !isId(id)) refuse('id', `a text of 1 to ${longestId} characters`, id)
  if (track !== undefined && typeof track !== 'boolean') refuse('track', 'true or false', track)
  if (front !== undefined && typeof front !== 'boolean') refuse('front', 'true or false', front)
  if (timeoutMs !== undefined && !(isDuration(timeoutMs, 1) && (timeoutMs as number) <= longestTimerMs))
    refuse('timeoutMs', `a whole number of ms from 1 to ${longestTimerMs}`, timeoutMs)
  if (dedupe !== undefined) {
    const { key, ttlMs } = (dedupe ?? {}) as Record<string, unknown>
    if (!isId(key) || !isDuration(ttlMs, 1))
      refuse('dedupe', '{ key: a text, ttlMs: a whole number of ms above 0 }', dedupe)
  }
}

function isDuration(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least
}

function isTime(value: unknown): boolean {
  const ms = value instanceof Date ? value.getTime() : value
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0 && ms < 8.64e15
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= longestId && value.isWellFormed()
}
