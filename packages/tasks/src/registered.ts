// Owns which parts stand behind which facade: for those of our own programs that need more than it shows.
import type { ParsedTasksOptions } from './options.ts'
import type { Parts } from './parts.ts'
import type { Role } from './role.ts'

/** A registration as its plugin made it. */
export interface Registered {
  readonly parts: Parts
  readonly options: ParsedTasksOptions & Role
}

const registrations = new WeakMap<object, Registered>()

/** Notes what stands behind a facade. */
export function noteRegistered(tasks: object, registered: Registered): void {
  registrations.set(tasks, registered)
}

/** Undefined for what no plugin of this copy of the package made. */
export function registeredOf(tasks: object): Registered | undefined {
  return registrations.get(tasks)
}
