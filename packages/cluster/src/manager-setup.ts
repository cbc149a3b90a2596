// What a manager is made of, and what each of its workers gets of that.
import type { PeerDeath } from 'fastify-ah-kit'
import type { Journal } from './journal.ts'
import type { NativeHandle } from './listening-handle.ts'
import type { ManagerOptions } from './options.ts'
import { findProject } from './project.ts'
import type { Store } from './store.ts'
import type { ListenAddress } from './types.ts'
import type { WorkerSpec } from './worker-events.ts'

/** What a manager is made of. */
export interface ManagerSetup {
  readonly options: ManagerOptions
  readonly workers: number
  readonly title: string
  readonly root: string
  /** The environment of a worker that starts now. */
  readonly env: () => NodeJS.ProcessEnv
  /** Flags of Node for the worker `id`; default none. */
  readonly flags?: (id: number) => readonly string[]
  /** Where a worker that starts now writes; default: where the primary does. */
  readonly output?: () => number
  readonly journal: Journal
  /** Starts the embedded store, if one is wanted. */
  readonly startStore: (() => Promise<Store>) | undefined
}

/** What differs from worker to worker. */
export interface Seat {
  readonly id: number
  readonly generation: number
  readonly address: ListenAddress
  readonly handle: NativeHandle
  readonly deaths: readonly PeerDeath[]
  readonly store: Store | undefined
}

/** How the worker on `seat` is started. Throws if the app file is gone. */
export function specOf(setup: ManagerSetup, seat: Seat): WorkerSpec {
  const { id, generation, address, handle, deaths, store } = seat
  const { backlog, drainMs, notReadyMs, readyMs, app } = setup.options
  const project = findProject(setup.root, app)
  const title = `${setup.title}-worker-${id}`
  return {
    orders: {
      id,
      generation,
      title,
      app: project.app,
      address,
      backlog,
      ...(drainMs === undefined ? {} : { drainMs }),
      ...(notReadyMs === undefined ? {} : { notReadyMs }),
      deaths,
    },
    handle,
    cwd: project.root,
    env: { ...setup.env(), ACTIONHERO_TITLE: title, ...(store === undefined ? {} : { REDIS_URL: store.url }) },
    flags: setup.flags?.(id) ?? [],
    output: setup.output?.() ?? 'inherit',
    readyMs,
  }
}
