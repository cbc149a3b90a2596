// Owns what a process does by itself: by its options, then the environment, then its role.
import { identity } from 'fastify-ah-kit'
import { taskEnvironment } from './environment.ts'
import { AH_TASKS_OPTIONS } from './errors.ts'
import type { ParsedTasksOptions } from './options.ts'

/** What a process does. */
export interface Role {
  readonly scheduler: boolean
  readonly minTaskProcessors: number
  readonly maxTaskProcessors: number
}

/** Throws `AH_TASKS_OPTIONS` for more jobs at least than at most. */
export function resolveRole(options: ParsedTasksOptions): Role {
  const environment = taskEnvironment()
  const isWeb = identity().role === 'web'
  const givenMin = options.minTaskProcessors ?? environment.minTaskProcessors
  const givenMax = options.maxTaskProcessors ?? environment.maxTaskProcessors
  // Who gives one of the two means at least that many, or at most.
  const maxTaskProcessors = givenMax ?? Math.max(givenMin ?? 0, isWeb ? 0 : 10)
  const minTaskProcessors = givenMin ?? Math.min(maxTaskProcessors, isWeb && givenMax === undefined ? 0 : 1)
  if (minTaskProcessors > maxTaskProcessors) {
    throw new AH_TASKS_OPTIONS(
      `fastify-ah-tasks: minTaskProcessors (${minTaskProcessors}) is more than maxTaskProcessors (${maxTaskProcessors})`,
    )
  }
  return { scheduler: options.scheduler ?? environment.scheduler ?? !isWeb, minTaskProcessors, maxTaskProcessors }
}
