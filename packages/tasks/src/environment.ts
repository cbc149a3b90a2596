// What the tasks take from the environment, as ActionHero's.
import process from 'node:process'

/** Fills what the options leave unset; texts that are no number or truth count as unset. */
export interface TaskEnvironment {
  readonly scheduler: boolean | undefined
  readonly minTaskProcessors: number | undefined
  readonly maxTaskProcessors: number | undefined
}

/** `SCHEDULER`, `MIN_TASK_PROCESSORS` and `MAX_TASK_PROCESSORS`. */
export function taskEnvironment(): TaskEnvironment {
  const { SCHEDULER, MIN_TASK_PROCESSORS, MAX_TASK_PROCESSORS } = process.env
  return {
    scheduler: SCHEDULER === undefined || SCHEDULER === '' ? undefined : /^(?:true|1|yes|on)$/i.test(SCHEDULER),
    minTaskProcessors: countOf(MIN_TASK_PROCESSORS),
    maxTaskProcessors: countOf(MAX_TASK_PROCESSORS),
  }
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined
}
