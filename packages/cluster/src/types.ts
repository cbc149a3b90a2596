// What the cluster tells of itself: the shapes that status() answers, shared by primary and worker.

/**
 * Where a worker stands. `starting`: its process runs and the app boots; `started`: it serves; `stopping`: it drains
 * and takes no new connections; `exited`: its process has ended.
 */
export type WorkerState = 'starting' | 'started' | 'stopping' | 'exited'

/** One worker, as `status()` shows it. */
export interface WorkerStatus {
  /** Its seat in the cluster: 1, 2, … A replacement takes the same number. */
  readonly id: number
  readonly pid: number
  readonly state: WorkerState
  /** The release that it runs, counted from 1. */
  readonly generation: number
  /** Milliseconds since its process was started. */
  readonly uptimeMs: number
  /** How often a worker with this number has been replaced. */
  readonly restarts: number
}

/** The cluster, as `status()` shows it. */
export interface ClusterStatus {
  readonly title: string
  /** The process that holds the listening socket; undefined without a manager. */
  readonly primaryPid: number | undefined
  readonly generation: number
  readonly uptimeMs: number
  /** In the order of their numbers; a worker that drains stands beside its successor. */
  readonly workers: readonly WorkerStatus[]
}

/** Where the cluster listens: a TCP port on a numeric address, or a unix socket by its absolute path. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
