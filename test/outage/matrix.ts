// Every topology with every fault: what is run, and what makes no sense, with the reason.
import { type Fault, faults, whySenseless } from './faults.ts'
import { type Topology, topologies } from './places.ts'

export interface Entry {
  readonly topology: Topology
  readonly fault: Fault
  /** Why there is nothing to run. */
  readonly senseless?: string
}

export const matrix: readonly Entry[] = topologies.flatMap((topology) =>
  faults.map((fault) => {
    const senseless = whySenseless(topology, fault)
    return { topology, fault, ...(senseless !== undefined && { senseless }) }
  }),
)
