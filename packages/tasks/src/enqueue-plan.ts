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
import type { Watched } from './watched.ts'

const known = new Set(['queue', 'delayMs', 'at', 'id', 'dedupe', 'track', 'front', 'timeoutMs'])
// An id or key is part of a Redis key.
const longestId = 512

/** What a plan depends on beside the job. */
export interface PlanSettings {
  readonly trackMs: number
  /** Undefined: it is planned for a look only. */
  readonly watched: Watched | undefined
  readonly lockOf?: ((queue: string, args: readonly unknown[]) => NonNullable<OrderExtras['lock']>) | undefined
}

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
  { trackMs, watched, lockOf }: PlanSettings,
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
  // What is known of a job that is planned for later is kept until then, too.
  const keptMs = track ? trackMs + untilDue(due) : 0
  const order = { queue, isFront: front === true, due }
  if (id === undefined && track !== true && timeoutMs === undefined && dedupe === undefined && lock === undefined) {
    // Planned jobs stay bare: Resque's own lists find them by their bytes.
    const jotted = due === undefined ? jottings(watched, queue) : undefined
    const payload = jotted === undefined ? bare : withMeta(bare, { v: 1, id: randomUUID(), ...jotted })
    return { order: { ...order, payload }, id: undefined }
  }
  const meta: JobMeta = {
    v: 1,
    id: id ?? randomUUID(),
    ...(track && { track }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...jottings(watched, queue),
    ...(watched?.samples.isOn && { at: dueAt(due) }),
  }
  const extras = { id: meta.id, trackMs: keptMs, dedupe, lock }
  return { order: { ...order, payload: withMeta(bare, meta), extras }, id: meta.id }
}

/** What a job carries for those who watch it; undefined for most. */
function jottings(watched: Watched | undefined, queue: string): Pick<JobMeta, 'at' | 'carrier'> | undefined {
  if (watched === undefined) return undefined
  const { carrier, samples } = watched
  const isSampled = samples.isDue(queue)
  if (carrier === undefined && !isSampled) return undefined
  return { ...(samples.isOn && { at: Date.now() }), ...(carrier !== undefined && { carrier }) }
}

/** From when on a job waits, in ms since 1970. */
function dueAt(due: Due | undefined): number {
  if (due === undefined) return Date.now()
  return Math.round('at' in due ? due.at : Date.now() + due.inMs)
}

/** A job that is planned for later is locked until then, too. */
function whileDue({ key, ms }: NonNullable<OrderExtras['lock']>, due: Due | undefined): OrderExtras['lock'] {
  return { key, ms: ms + untilDue(due) }
}

function untilDue(due: Due | undefined): number {
  if (due === undefined) return 0
  return Math.max(0, Math.round('at' in due ? due.at - Date.now() : due.inMs))
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
