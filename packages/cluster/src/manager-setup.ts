// What a manager is made of, and what each of its workers gets of that.
import type { PeerDeath } from 'fastify-ah-kit'
import { capacity, warningsOf } from './capacity.ts'
import type { Journal } from './journal.ts'
import type { NativeHandle } from './listening-handle.ts'
import type { ManagerOptions } from './options.ts'
import { findProject } from './project.ts'
import { isListening, type RoleCounts, type Seat } from './seats.ts'
import type { Store } from './store.ts'
import type { ListenAddress } from './types.ts'
import type { WorkerSpec } from './worker-events.ts'
import type { WorkerPids } from './worker-pids.ts'

// How often workers say that they are alive.
const PULSE_MS = 1_000

/** What a manager is made of. */
export interface ManagerSetup {
  readonly options: ManagerOptions
  /** How many workers of each role. */
  readonly roles: RoleCounts
  /** False: no worker takes connections, whatever its role. */
  readonly isWebServerOn?: boolean
  readonly title: string
  readonly root: string
  /** The environment of a worker that starts now. */
  readonly env: () => NodeJS.ProcessEnv
  /** Flags of Node for the worker `id`; default none. */
  readonly flags?: (id: number) => readonly string[]
  /** Where a worker that starts now writes; default: where the primary does. */
  readonly output?: () => number
  readonly journal: Journal
  readonly pids: WorkerPids
  /** Starts the embedded store, if one is wanted. */
  readonly startStore: (() => Promise<Store>) | undefined
}

/** What differs from worker to worker. */
export interface Assignment {
  readonly seat: Seat
  readonly generation: number
  /** The bound socket; undefined if nobody in the cluster takes connections. */
  readonly socket: { readonly address: ListenAddress; readonly handle: NativeHandle } | undefined
  readonly deaths: readonly PeerDeath[]
  readonly store: Store | undefined
}

/** What there is to say of so many workers on this machine. */
export function crowding({ options }: ManagerSetup, workers: number): readonly string[] {
  return warningsOf(workers, options.maxRssMb || undefined, capacity())
}

/** How the next worker is started. Throws if the app file is gone. */
export function specOf(setup: ManagerSetup, { seat, generation, socket, deaths, store }: Assignment): WorkerSpec {
  const { backlog, drainMs, notReadyMs, readyMs, hangMs, app } = setup.options
  const project = findProject(setup.root, app)
  const title = `${setup.title}-worker-${seat.id}`
  const role = roleOf(setup, seat)
  const own = setup.isWebServerOn !== false && isListening(role) ? socket : undefined
  return {
    orders: {
      id: seat.id,
      generation,
      title,
      app: project.app,
      address: own?.address,
      backlog,
      ...(drainMs === undefined ? {} : { drainMs }),
      ...(notReadyMs === undefined ? {} : { notReadyMs }),
      deaths,
      isMetered: setup.options.metricsPort !== undefined,
      pulseMs: hangMs === 0 ? PULSE_MS : Math.min(PULSE_MS, hangMs / 4),
    },
    role,
    handle: own?.handle,
    cwd: project.root,
    env: {
      ...setup.env(),
      ACTIONHERO_TITLE: title,
      ...(role === undefined ? {} : { ACTIONHERO_ROLE: role }),
      ...(store === undefined ? {} : { REDIS_URL: store.url }),
    },
    flags: setup.flags?.(seat.id) ?? [],
    output: setup.output?.() ?? 'inherit',
    readyMs,
  }
}

/** What the operator said for this seat, else for all of them. */
export function roleOf({ env }: ManagerSetup, { role }: Seat): string | undefined {
  return role ?? (env()['ACTIONHERO_ROLE'] || undefined)
}

/** Whether any worker will take connections. */
export function isAnyoneListening(setup: ManagerSetup): boolean {
  if (setup.isWebServerOn === false) return false
  return setup.roles.some(({ role }) => isListening(roleOf(setup, { id: 0, role })))
}
