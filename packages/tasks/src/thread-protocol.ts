// Owns what is said between a job's process and the thread that runs it.
import type { MessagePort } from 'node:worker_threads'

/** What a thread is given. */
export interface ThreadTask {
  /** URL of the module. */
  readonly file: string
  readonly inputs: unknown
  readonly job: {
    readonly id: string | undefined
    readonly attempt: number
    readonly queue: string
    readonly args: readonly unknown[]
    readonly recovered: boolean
  }
  readonly port: MessagePort
}

/** To the thread: the job is to end; a progress was noted, or was not. */
export type ToThread =
  | { readonly kind: 'abort'; readonly reason: Error }
  | { readonly kind: 'noted'; readonly number: number; readonly error?: Error }

/** From the thread. */
export interface FromThread {
  readonly kind: 'progress'
  readonly number: number
  readonly value: unknown
}
