// What other packages show of themselves, as far as it is measured: they are found by symbol, and need not be installed.

/** A cache of `fastify-ah-cache`. */
export interface MeasuredCache {
  stats(): Readonly<Record<CacheCount, number>> & { readonly local: LocalCounts | undefined }
}

/** Counts of a cache. */
export type CacheCount =
  | 'hits'
  | 'misses'
  | 'unreadable'
  | 'saves'
  | 'produced'
  | 'produceFailed'
  | 'waited'
  | 'staleServed'
  | 'discarded'
  | 'locked'
  | 'locksLost'
  | 'locksLeft'

/** Of the cache's tier in this process. */
export interface LocalCounts {
  readonly entries: number
  readonly hits: number
  readonly misses: number
  readonly invalidations: number
}

/** A registration of `fastify-ah-pubsub`. */
export interface MeasuredPubsub {
  stats(): {
    readonly published: number
    readonly received: number
    readonly gaps: number
    readonly handlerErrors: number
    readonly dropped: Readonly<Record<string, number>>
    readonly pendingCalls: number
    readonly subscriptions: number
  }
}

/** A registration of `fastify-ah-rooms`. */
export interface MeasuredRooms {
  stats(): {
    readonly connections: number
    readonly rooms: number
    readonly heard: number
    readonly dropped: number
    readonly gaps: number
    readonly cut: number
    readonly refused: number
    readonly tooFast: number
  }
}

/** How a job ended. */
export const jobEndings = ['success', 'failure', 'retry', 'skipped', 'cancelled', 'released', 'lost'] as const

/** What is heard of a job. */
export interface MeasuredJob {
  readonly task: string
  readonly queue: string
  readonly durationMs: number
  readonly waitedMs?: number
}

/** What waits in a queue. */
export interface MeasuredQueue {
  readonly length: number
  readonly parked: number
  readonly paused: boolean
  readonly oldestMs: number | undefined
}

/** A registration of `fastify-ah-tasks`. */
export interface MeasuredTasks {
  on(event: 'enqueue' | 'start' | (typeof jobEndings)[number], listener: (job: MeasuredJob) => void): () => void
  waiting(): Promise<Readonly<Record<string, MeasuredQueue>>>
  sampleWaits(everyMs: number): void
}
