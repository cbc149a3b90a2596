// What the cluster tells of itself: the shapes that status() answers, shared by primary and worker.

/**
 * Where a worker stands. `starting`: its process runs and the app boots; `started`: it serves; `stopping`: it drains
 * and takes no new connections; `exited`: its process has ended.
 */
export type WorkerState = 'starting' | 'started' | 'stopping' | 'exited'

/** How a worker fares, by its own last word. */
export interface Vitals {
  /** Resident memory in MB. */
  readonly rssMb: number
  /** Share of the time since the word before in which its event loop was busy, 0 to 1. */
  readonly utilization: number
  /** Open connections. */
  readonly connections: number
  /** HTTP requests since its start. */
  readonly requests: number
}

/** One worker, as `status()` shows it. */
export interface WorkerStatus {
  /** Its seat in the cluster: 1, 2, … A replacement takes the same number. */
  readonly id: number
  /** Undefined where the operator named none. */
  readonly role: string | undefined
  readonly pid: number
  readonly state: WorkerState
  /** The release that it runs, counted from 1. */
  readonly generation: number
  /** Milliseconds since its process was started. */
  readonly uptimeMs: number
  /** How often a worker with this number has been replaced. */
  readonly restarts: number
  /** Undefined until its first word, a second after it began to serve. */
  readonly vitals: Vitals | undefined
}

/** How far a reload is. */
export interface ReloadProgress {
  readonly generation: number
  /** Workers of the release that serve. */
  readonly ready: number
  readonly wanted: number
  /** Workers of older releases that still drain. */
  readonly draining: number
}

/** The cluster, as `status()` shows it. */
export interface ClusterStatus {
  readonly title: string
  /** The process that holds the listening socket; undefined without a manager. */
  readonly primaryPid: number | undefined
  /** The release that new workers run. */
  readonly generation: number
  readonly uptimeMs: number
  /** Where it listens; undefined without a manager, or if no worker takes connections. */
  readonly address: string | undefined
  /** How many workers are wanted. */
  readonly wanted: number
  /** Workers die faster than they should be replaced: more than 3 for each seat within 30 s. */
  readonly isFlapping: boolean
  /** How far the reload under way is, if one is. */
  readonly reload: ReloadProgress | undefined
  /** In the order of their numbers; a worker that drains stands beside its successor. */
  readonly workers: readonly WorkerStatus[]
}

/** Where the cluster listens: a TCP port on a numeric address, or a unix socket by its absolute path. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** A worker that died by itself. */
export interface CrashedWorker {
  readonly id: number
  readonly pid: number | undefined
  readonly role: string | undefined
  readonly generation: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}
