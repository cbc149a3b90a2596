// Runs one row of the matrix: one Redis, two apps with all plugins, one outage, and every subject's probe through it.
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd, type RedisServer, scaled, type TestScope, until } from 'fastify-ah-test-support'
import { breakIt, type Extent, type Fault, placeFor } from './faults.ts'
import { openPair } from './pair.ts'
import { type Place, startPlace, type Topology } from './places.ts'
import { type Driven, drive, type Probe, type Tally } from './probe.ts'
import { probesFor } from './subjects.ts'
import { type Cell, verdictOn } from './verdict.ts'

/** What a row said. */
export interface Row {
  readonly topology: Topology
  readonly fault: Fault
  /** From the break until Redis itself was able again, in ms. */
  readonly redisAwayMs: number
  readonly redisVersion: string
  readonly cells: readonly Cell[]
}

/** So many steps in a row mean that work goes on. */
const steady = 5
const steadyWithinMs = 20_000
const settleWithinMs = 45_000

/** At full scale longer than every lease and every deadline. */
const extent: Extent = { awayMs: scaled(8_000, 1_200), rounds: scaled(5, 2) }

export async function runRow(topology: Topology, fault: Fault, scope: TestScope): Promise<Row> {
  const place = await startPlace(topology, placeFor(fault), scope)
  const pair = await openPair(place, scope)
  const probes = probesFor(pair)
  await Promise.all([pair.a.ready(), pair.b.ready()])
  await Promise.all(probes.map(async (probe) => probe.begin?.()))
  const driven = probes.map(drive)
  const stop = () => Promise.all(driven.map((one) => one.stop()))
  // Before the apps are closed, also when something fails.
  atEnd(scope, stop)
  const late = await notSteady(driven, performance.now())
  if (late.size > 0) throw new Error(`before the outage there was no work: ${[...late].join(', ')}`)

  console.error('works')
  const { began, back, heal } = await breakIt(place, fault, extent)
  console.error('Redis is able again')
  await notSteady(driven, back)
  const resumed = driven.map(({ pulse }) => pulse.resumedSince(back))
  console.error('healing')
  await heal()
  console.error('healed')
  const lateAfterAll = await notSteady(driven, performance.now())
  console.error('stopping')
  await stop()
  console.error('settling')

  const tallies = await Promise.all(probes.map(settled))
  const cells = driven.map(({ probe: { subject }, pulse }, i) => {
    const isGoingOn = !lateAfterAll.has(subject)
    return verdictOn({ topology, fault, back }, { subject, pulse, resumed: resumed[i], isGoingOn }, tallies[i] as Tally)
  })
  return { topology, fault, redisAwayMs: Math.round(back - began), redisVersion: await versionOf(place), cells }
}

/** What it found, or that it never came to an end. */
async function settled(probe: Probe): Promise<Tally> {
  const patience = sleep(settleWithinMs, undefined, { ref: false })
  const tally = await Promise.race([probe.settle(), patience])
  return tally ?? { lost: 0, doubled: 0, wrong: [`nobody could say what was lost within ${settleWithinMs} ms`] }
}

/** Waits until every subject's work goes on; those whose does not. */
async function notSteady(driven: readonly Driven[], moment: number): Promise<Set<string>> {
  const late = () => driven.filter(({ pulse }) => pulse.streakSince(moment) < steady)
  // Whoever is late is told of by its cell.
  await until(() => late().length === 0, { deadlineMs: steadyWithinMs }).catch(() => undefined)
  return new Set(late().map(({ probe }) => probe.subject))
}

async function versionOf(place: Place): Promise<string> {
  const server = await someServer(place)
  return /redis_version:(\S+)/.exec(String(await server.command('INFO', 'server')))?.[1] ?? 'unknown'
}

async function someServer(place: Place): Promise<RedisServer> {
  if (place.topology === 'one server') return place.server
  return place.topology === 'Sentinel' ? place.sentinel.master() : (place.cluster.nodes[1] as RedisServer)
}
