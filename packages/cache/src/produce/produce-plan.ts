// How a value is to be produced and kept: the options of `getOrSet`, checked.
import { checkCallOptions } from '../call-options.ts'
import { optionalDuration, retryMs } from '../duration.ts'
import type { EntryTimes } from '../entry.ts'
import { AH_CACHE_OPTIONS } from '../errors.ts'
import { shortened } from '../save-plan.ts'
import { checkTags } from '../tags.ts'
import type { ProduceOptions } from '../types.ts'

/** How long a call of `getOrSet` waits, and a run may take, unless it is told otherwise. */
const usualTimeoutMs = 10_000

const known = [
  ...['expireMs', 'jitter', 'staleMs', 'staleIfErrorMs', 'earlyMs', 'tags'],
  ...['timeoutMs', 'retry'],
] as const

/** The options as they are meant; durations in ms, 0 for none. */
export interface ProducePlan {
  readonly expireMs: number | undefined
  readonly jitter: number | undefined
  readonly staleMs: number
  readonly staleIfErrorMs: number
  readonly earlyMs: number
  readonly tags: readonly string[]
  readonly timeoutMs: number
  readonly waitMs: number
}

/** Throws the coded error for what is no option of `getOrSet`. */
export function producePlanOf(options: ProduceOptions, lockMs: number): ProducePlan {
  checkCallOptions('getOrSet', options, known)
  const { jitter, tags = [], retry } = options
  checkTags('getOrSet: tags', tags)
  const expireMs = optionalDuration('expireMs', options.expireMs)
  const staleMs = optionalDuration('staleMs', options.staleMs) ?? 0
  const staleIfErrorMs = optionalDuration('staleIfErrorMs', options.staleIfErrorMs) ?? 0
  const earlyMs = optionalDuration('earlyMs', options.earlyMs) ?? 0
  if (expireMs === undefined && staleMs + staleIfErrorMs + earlyMs > 0) {
    throw new AH_CACHE_OPTIONS('getOrSet: staleMs, staleIfErrorMs and earlyMs need an expireMs: else nothing grows old')
  }
  shortened('getOrSet', undefined, jitter)
  return {
    expireMs,
    jitter,
    staleMs,
    staleIfErrorMs,
    earlyMs,
    tags: [...new Set(tags)],
    timeoutMs: optionalDuration('timeoutMs', options.timeoutMs) ?? usualTimeoutMs,
    waitMs: retryMs(retry, lockMs),
  }
}

/** For how long Redis keeps a value that is made now, and when it grows old and ends; no times where it just ends. */
export function lifeOf(plan: ProducePlan, now: number): { ttl: number | undefined; times: EntryTimes } {
  const fresh = shortened('getOrSet', plan.expireMs, plan.jitter)
  if (fresh === undefined) return { ttl: undefined, times: {} }
  const oldMs = Math.max(plan.staleMs, plan.staleIfErrorMs)
  if (oldMs === 0 && plan.earlyMs === 0) return { ttl: fresh, times: {} }
  return { ttl: fresh + oldMs, times: { staleAt: now + fresh, expiresAt: now + fresh + oldMs } }
}
