// The worker's end of the channel to its primary.
import type { PeerDeath } from 'fastify-ah-kit'
import { AH_CLUSTER_PRIMARY_GONE } from './errors.ts'
import type { NativeHandle } from './listening-handle.ts'
import { type FromWorker, openFromPrimary, seal, type WorkerOrders } from './messages.ts'
import type { ClusterStatus } from './types.ts'

/** Who hears what the primary says. */
export interface PrimaryListener {
  start(orders: WorkerOrders, handle: NativeHandle): void
  stop(): void
  peerDied(death: PeerDeath): void
  /** The channel is closed: the primary is dead, or the app closed it. */
  orphaned(): void
}

/** What the worker's body leaves on the app's root (symbol `fastify-ah.worker`) for the plugin. */
export interface WorkerPlace {
  readonly orders: WorkerOrders
  readonly link: PrimaryLink
}

const ANSWER_MS = 5_000

/** One per worker process. */
export class PrimaryLink {
  readonly #questions = new Map<number, (status: ClusterStatus) => void>()
  #lastQuestion = 0

  /** Begins to hear. What arrived before waits in the channel. */
  listen(listener: PrimaryListener): void {
    process.on('message', (raw, handle) => {
      const message = openFromPrimary(raw)
      switch (message?.type) {
        case 'start':
          return listener.start(message.orders, handle as unknown as NativeHandle)
        case 'stop':
          return listener.stop()
        case 'peer-death':
          return listener.peerDied(message.death)
        case 'status':
          return this.#questions.get(message.request)?.(message.status)
        default:
          // Messages of the app's own, if it has made somebody send them.
          return undefined
      }
    })
    process.once('disconnect', () => listener.orphaned())
  }

  /** Sends; resolves when it has left, or cannot leave any more since nobody is there. Never rejects. */
  send(message: FromWorker): Promise<void> {
    return new Promise((resolve) => {
      if (process.send === undefined || !process.connected) resolve()
      else process.send(seal(message), undefined, undefined, () => resolve())
    })
  }

  /** Asks for the state of the cluster. Rejects with `AH_CLUSTER_PRIMARY_GONE`. */
  async status(): Promise<ClusterStatus> {
    this.#lastQuestion += 1
    const request = this.#lastQuestion
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<ClusterStatus>((resolve, reject) => {
        if (!process.connected) throw new AH_CLUSTER_PRIMARY_GONE()
        this.#questions.set(request, resolve)
        timer = setTimeout(() => reject(new AH_CLUSTER_PRIMARY_GONE()), ANSWER_MS)
        void this.send({ type: 'status', request })
      })
    } finally {
      clearTimeout(timer)
      this.#questions.delete(request)
    }
  }
}
