// What the commands do that look into the queues and put them in order, and how they show it.
import { AH_TASKS_USAGE } from '../errors.ts'
import type { Tasks } from '../tasks.ts'
import type { EnqueueOptions, FailedJob } from '../types.ts'
import { type CommandLine, type CommandName, type Flags, numberOf } from './command-line.ts'

/** What a command has to say, and whether it did or found what it was asked for. */
export interface Outcome {
  readonly text: string
  readonly isDone: boolean
}

type Command = (tasks: Tasks, line: CommandLine) => Promise<Outcome>

// Entries that are shown, or looked through at a time.
const page = 100

const done = (text: string): Outcome => ({ text, isDone: true })
const shown = (json: boolean | undefined, value: unknown, text: () => string): string =>
  json ? JSON.stringify(value) : text()

/** By name. */
export const runCommand: Readonly<Record<Exclude<CommandName, 'work'>, Command>> = {
  list: (tasks, line) => (line.operands[0] === undefined ? listAll(tasks, line) : listQueue(tasks, line)),
  enqueue: async (tasks, { operands: [name = '', inputs], flags }) => {
    const enqueued = await tasks.enqueue(name, inputsOf(inputs), enqueueOptions(flags))
    if (enqueued === false) return { text: shown(flags.json, false, () => 'not enqueued'), isDone: false }
    return done(
      shown(flags.json, enqueued, () => [`enqueued in ${enqueued.queue}`, enqueued.id].filter(Boolean).join(': ')),
    )
  },
  failed: async (tasks, { flags }) => {
    const { from, to } = rangeOf(flags)
    const [entries, count] = await Promise.all([tasks.failed(from, to), tasks.failedCount()])
    const lines = entries.map((entry, index) => `${from + index}  ${failureLine(entry)}`)
    return done(
      shown(flags.json, entries, () => [...lines, more(count, from, entries.length)].filter(Boolean).join('\n')),
    )
  },
  retry: async (tasks, { operands, flags }) => {
    const retried = await retryEntries(tasks, operands, flags)
    return { text: shown(flags.json, { retried }, () => `${retried} enqueued again`), isDone: retried > 0 }
  },
  pause: async (tasks, { operands, flags }) => {
    await Promise.all(operands.map((queue) => tasks.pause(queue)))
    return done(shown(flags.json, { paused: operands }, () => `nobody takes from ${operands.join(', ')} now`))
  },
  resume: async (tasks, { operands, flags }) => {
    await Promise.all(operands.map((queue) => tasks.resume(queue)))
    return done(shown(flags.json, { resumed: operands }, () => `${operands.join(', ')} is worked again`))
  },
}

async function listAll(tasks: Tasks, { flags }: CommandLine): Promise<Outcome> {
  const details = await tasks.details()
  const { queues, workers, stats, delayed, failed, leader } = details
  const names = Object.keys(queues)
  const width = Math.max(5, ...names.map((name) => name.length))
  const lines = [
    `${'queue'.padEnd(width)}  waiting  parked`,
    ...names.map((name) => {
      const { length, parked, paused } = queues[name] as (typeof queues)[string]
      return `${name.padEnd(width)}  ${String(length).padStart(7)}  ${String(parked).padStart(6)}${paused ? '  paused' : ''}`
    }),
    '',
    `planned ${delayed}, failed ${failed}, processed ${stats['processed'] ?? 0}`,
    `workers ${Object.keys(workers).length}, scheduling ${leader ?? 'nobody'}`,
  ]
  return done(shown(flags.json, details, () => lines.join('\n')))
}

async function listQueue(tasks: Tasks, { operands: [queue = ''], flags }: CommandLine): Promise<Outcome> {
  const { from, to } = rangeOf(flags)
  const [jobs, count] = await Promise.all([tasks.queued(queue, from, to), tasks.length(queue)])
  const lines = jobs.map(({ class: name, args }, index) => `${from + index}  ${name} ${args.map(oneLine).join(' ')}`)
  return done(shown(flags.json, jobs, () => [...lines, more(count, from, jobs.length)].filter(Boolean).join('\n')))
}

async function retryEntries(tasks: Tasks, places: readonly string[], { all, task }: Flags): Promise<number> {
  if (all ? places.length > 0 : places.length === 0) {
    throw new AH_TASKS_USAGE('retry needs the places that "failed" shows, or --all')
  }
  if (!all && task !== undefined) throw new AH_TASKS_USAGE('--task goes with --all')
  if (!all) {
    const numbers = [...new Set(places.map((place) => numberOf('retry', place, 0)))]
    // Read before the first is moved: each move shifts the places behind it.
    const entries = (await Promise.all(numbers.map((at) => tasks.failed(at, at)))).flat()
    for (const entry of entries) await tasks.retryAndRemoveFailed(entry)
    return entries.length
  }
  let retried = 0
  // Those that fail again meanwhile come to the end, and are not met.
  let left = await tasks.failedCount()
  for (let at = 0; left > 0; ) {
    const entries = await tasks.failed(at, at + Math.min(left, page) - 1)
    if (entries.length === 0) break
    left -= entries.length
    for (const entry of entries) {
      if (entry.payload.class === undefined || (task !== undefined && entry.payload.class !== task)) at += 1
      else {
        await tasks.retryAndRemoveFailed(entry)
        retried += 1
      }
    }
  }
  return retried
}

function enqueueOptions(flags: Flags): EnqueueOptions {
  const { queue, id, track, front, at } = flags
  const time = at === undefined ? undefined : new Date(/^\d+$/.test(at) ? Number(at) : at)
  if (time !== undefined && Number.isNaN(time.getTime()))
    throw new AH_TASKS_USAGE(`--at expects a time, such as 2030-01-31T12:00:00Z, got "${at}"`)
  return {
    ...(queue !== undefined && { queue }),
    ...(id !== undefined && { id }),
    ...(track && { track }),
    ...(front && { front }),
    ...(flags.in !== undefined && { delayMs: numberOf('--in', flags.in, 0) }),
    ...(time !== undefined && { at: time }),
  }
}

function inputsOf(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AH_TASKS_USAGE(`the inputs are no JSON: ${(cause as Error).message}`, { cause })
  }
}

function rangeOf({ from: first, count }: Flags): { from: number; to: number } {
  const from = numberOf('--from', first, 0)
  const wanted = numberOf('--count', count, page)
  if (wanted === 0) throw new AH_TASKS_USAGE('--count expects at least 1')
  return { from, to: from + wanted - 1 }
}

function more(count: number, from: number, length: number): string {
  const left = count - from - length
  return left > 0 ? `and ${left} more` : ''
}

/** What others put into the list may lack anything. */
function failureLine({ failed_at, queue, payload, exception, error }: Partial<FailedJob>): string {
  const what = `${queue ?? '(no queue)'}  ${payload?.class ?? '(unreadable)'}`
  return `${failed_at ?? '(no time)'}  ${what}  ${exception ?? 'Error'}: ${String(error ?? '(no text)').split('\n', 1)[0]}`
}

function oneLine(value: unknown): string {
  return JSON.stringify(value) ?? ''
}
