// How many workers of which role: from what the operator wrote.
import { defaultWorkers } from './cpus.ts'
import { AH_CLUSTER_OPTIONS } from './errors.ts'
import type { RoleCounts } from './seats.ts'

/** What the operator may write; the form of `roles` has been checked. */
export interface WantedRoles {
  readonly workers?: number
  /** `web=2,worker=1` */
  readonly roles?: string
}

/** Throws `AH_CLUSTER_OPTIONS` if both are given, or a role twice, or no worker at all. */
export function rolesOf({ workers, roles }: WantedRoles): RoleCounts {
  if (roles === undefined) return [{ role: undefined, count: workers ?? defaultWorkers() }]
  if (workers !== undefined) throw new AH_CLUSTER_OPTIONS('give either workers or roles, not both')
  const counts = roles.split(',').map((part) => {
    const [role, count] = part.split('=') as [string, string]
    return { role, count: Number(count) }
  })
  const twice = counts.find(({ role }, index) => counts.findIndex((other) => other.role === role) < index)
  if (twice !== undefined) throw new AH_CLUSTER_OPTIONS(`roles: "${twice.role}" stands there twice`)
  if (counts.every(({ count }) => count === 0)) throw new AH_CLUSTER_OPTIONS(`roles: "${roles}" asks for no worker`)
  return counts
}
