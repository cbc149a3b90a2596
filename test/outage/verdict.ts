// Owns what a cell promises: when work goes on, what may be lost or doubled, and what never may.
import { type Fault, mayForget } from './faults.ts'
import type { Topology } from './places.ts'
import type { Tally } from './probe.ts'
import type { Pulse } from './pulse.ts'
import { notDurable } from './subjects.ts'

/** One subject in one outage. */
export interface Cell {
  readonly subject: string
  /** From when Redis was able again until work went on, in ms; undefined: it did not. */
  readonly resumedMs: number | undefined
  readonly steps: number
  /** Steps that were told an error, by code. */
  readonly failures: Readonly<Record<string, number>>
  readonly slowestMs: number
  readonly lost: number
  readonly doubled: number
  readonly told: number
  /** Why it is not as promised; empty if it is. */
  readonly faults: readonly string[]
}

/** After Redis is able again. */
const resumeWithinMs = 5_000
/** A step is a few calls, of which only the last waits for 5 s, and what it waits for to be seen. */
const stepWithinMs = 12_000

/** What a master that takes over without the last writes takes from whom. A durable job is never among them. */
const forgetful: readonly string[] = ['cache', 'locks', 'stats', 'rooms', notDurable]
/** What runs or comes at least once: again if Redis forgot that it had. */
const atLeastOnce: readonly string[] = [
  'tasks idle',
  'tasks mid-job',
  notDurable,
  'scheduler',
  'cache',
  'locks',
  'stats',
]

/** How a subject's work went. */
export interface Seen {
  readonly subject: string
  readonly pulse: Pulse
  /** When its work went on, by the clock of `back`. */
  readonly resumed: number | undefined
  /** Whether it goes on after whoever was away has come back. */
  readonly isGoingOn: boolean
}

export function verdictOn(
  row: { readonly topology: Topology; readonly fault: Fault; readonly back: number },
  { subject, pulse, resumed, isGoingOn }: Seen,
  { lost, doubled, told = 0, wrong = [] }: Tally,
): Cell {
  const resumedMs = resumed === undefined ? undefined : Math.round(resumed - row.back)
  const isForgotten = mayForget(row.topology, row.fault)
  const uncoded = Object.keys(pulse.failures).filter((code) => !/^(?:AH_[A-Z_]+|NOT_SEEN)$/.test(code))
  const faults = [
    ...(resumedMs === undefined ? ['work did not go on'] : []),
    ...(resumedMs !== undefined && resumedMs > resumeWithinMs ? [`work went on after ${resumedMs} ms`] : []),
    ...(isGoingOn ? [] : ['in the end work does not go on']),
    ...(pulse.slowestMs > stepWithinMs ? [`a step took ${Math.round(pulse.slowestMs)} ms`] : []),
    ...(lost > 0 && !(isForgotten && forgetful.includes(subject)) ? [`${lost} lost`] : []),
    ...(doubled > 0 && !(isForgotten && atLeastOnce.includes(subject)) ? [`${doubled} doubled`] : []),
    ...(uncoded.length > 0 ? [`errors without a code: ${uncoded.join(', ')}`] : []),
    ...wrong,
  ]
  const { failures, count: steps, slowestMs } = pulse
  return { subject, resumedMs, steps, failures, slowestMs: Math.round(slowestMs), lost, doubled, told, faults }
}
