// Owns asking for a wrong host clock.

/**
 * Options for `spawnNode` (spread them, or their `env`) that make `Date` in the process and its descendants wrong by `ms`:
 * positive is ahead. Timers and `performance.now()` stay right, as with a host whose clock is set wrong.
 */
export function shiftDate(ms: number): { env: { AH_TEST_SHIFT_DATE_MS: string } } {
  return { env: { AH_TEST_SHIFT_DATE_MS: String(ms) } }
}
