// What the manager knows of its workers: shared by the part that notes what they report and the part that acts on it.
import type { Listener } from './listener.ts'
import type { ManagerSetup } from './manager-setup.ts'
import type { Metering } from './metering.ts'
import { PeerDeaths } from './peer-deaths.ts'
import { Releases } from './releases.ts'
import { RestartPolicy } from './restart-policy.ts'
import { Roster } from './roster.ts'
import { Seats } from './seats.ts'
import type { Store } from './store.ts'
import { Supervision } from './supervision.ts'
import type { ClusterStatus } from './types.ts'

/** What the workers are given, and who is told that something happened. */
export interface Workplace {
  readonly setup: ManagerSetup
  /** Undefined if nobody takes connections. */
  readonly listener: Listener | undefined
  readonly store: Store | undefined
  /** Undefined if nobody adds up the workers' numbers. */
  readonly metering: Metering | undefined
  /** Something happened: look again at what is to be done. */
  wake(): void
  /** The first release serves for the first time. */
  proven(): void
  status(): ClusterStatus
}

/** One per cluster. */
export class Crew {
  readonly seats: Seats
  readonly roster = new Roster()
  readonly releases = new Releases()
  readonly deaths = new PeerDeaths()
  readonly policy: RestartPolicy
  readonly supervision: Supervision
  /** Nobody is replaced any more. */
  isWindingUp = false
  /** Any worker of any release has served. */
  hasServed = false
  /** How many had to be killed in the end. */
  killed = 0

  constructor({ roles, options }: ManagerSetup) {
    this.seats = new Seats(roles)
    this.policy = new RestartPolicy(() => this.seats.size)
    this.supervision = new Supervision(options)
  }
}
