// What may be added, and what a sum in Redis may look like.
import { AH_STATS_AMOUNT } from './errors.ts'
import { shown } from './shown.ts'

/**
 * Throws `AH_STATS_AMOUNT` for what cannot be added exactly: fractions (Redis and ActionHero count in whole numbers), NaN,
 * and what lies beyond ±(2^53 - 1).
 */
export function checkAmount(amount: unknown): asserts amount is number {
  if (Number.isSafeInteger(amount)) return
  throw new AH_STATS_AMOUNT(`expected a whole number from -(2^53 - 1) to 2^53 - 1 to add, got ${shown(amount)}`)
}

/** The sum in the text that Redis holds, or undefined if it is no whole number. */
export function sumIn(text: string): number | undefined {
  const sum = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(sum) ? sum : undefined
}
