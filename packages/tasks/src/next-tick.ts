// Owns when a recurring task runs next.
import { Cron } from 'croner'
import type { Definition } from './definition.ts'

/** The first tick after `after`, in ms since 1970; undefined for a task that does not recur, or never again. */
export function nextTick({ frequencyMs, cron, timezone }: Definition, after: number): number | undefined {
  if (frequencyMs !== undefined) return (Math.floor(after / frequencyMs) + 1) * frequencyMs
  if (cron === undefined) return undefined
  const pattern = new Cron(cron, { paused: true, ...(timezone !== undefined && { timezone }) })
  return pattern.nextRun(new Date(after))?.getTime()
}
