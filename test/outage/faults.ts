// Owns the ways in which a Redis is broken, for each of what it can be made of, and which of them make no sense there.

import { breakCluster } from './break-cluster.ts'
import { cutAnswers, swallow } from './break-network.ts'
import { breakSentinel } from './break-sentinel.ts'
import { breakServer } from './break-server.ts'
import type { Place, PlaceOptions, Topology } from './places.ts'

export const faults = [
  'killed',
  'frozen',
  'demoted',
  'restarted',
  'black hole',
  'answers cut',
  'slot migration',
  'failover in a loop',
] as const

/** What is broken. */
export type Fault = (typeof faults)[number]

/** What was broken; moments of `performance.now()`. */
export interface Broken {
  readonly began: number
  /** When Redis itself was able again: it answers, a successor leads, the network passes. */
  readonly back: number
  /** Brings back the server that is still away, once work has gone on without it. */
  readonly heal: () => Promise<void>
}

/** How long and how often. */
export interface Extent {
  /** How long Redis is away, where that is ours to say, in ms. */
  readonly awayMs: number
  /** How many failovers in the loop, slots that move. */
  readonly rounds: number
}

const alone = 'there is no second server that could take over'

const senseless: Partial<Record<Topology, Partial<Record<Fault, string>>>> = {
  'one server': { demoted: alone, 'slot migration': 'its slots are its own', 'failover in a loop': alone },
  Sentinel: { 'slot migration': 'one master has all slots' },
}

/** Why there is no such row; undefined where there is one. */
export function whySenseless(topology: Topology, fault: Fault): string | undefined {
  return senseless[topology]?.[fault]
}

/** What the Redis needs so that it can be broken like this. */
export function placeFor(fault: Fault): PlaceOptions {
  return {
    isProxied: fault === 'black hole' || fault === 'answers cut',
    // A server that is restarted is back before anybody holds it to be down: no replica takes over, that is another row.
    downAfterMs: fault === 'restarted' ? 5_000 : 1_000,
  }
}

/**
 * Whether Redis itself may forget what it had acknowledged: a replica takes over from a master that had no time to send it
 * the last writes. All other faults lose nothing.
 */
export function mayForget(topology: Topology, fault: Fault): boolean {
  return topology !== 'one server' && (fault === 'killed' || fault === 'frozen')
}

/** Breaks it, waits until Redis is able again, and says when that was. */
export function breakIt(place: Place, fault: Fault, extent: Extent): Promise<Broken> {
  if (fault === 'black hole') return swallow(place.proxies, extent)
  if (fault === 'answers cut') return cutAnswers(place.proxies, extent)
  if (place.topology === 'one server') return breakServer(place.server, fault, extent)
  if (place.topology === 'Sentinel') return breakSentinel(place.sentinel, fault, extent)
  return breakCluster(place.cluster, fault, extent)
}
