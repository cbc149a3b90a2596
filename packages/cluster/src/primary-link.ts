// The worker's end of the channel to its primary.
import type { PeerDeath, ReportLine } from 'fastify-ah-kit'
import { AH_CLUSTER_PRIMARY_GONE } from './errors.ts'
import type { NativeHandle } from './listening-handle.ts'
import { type FromWorker, openFromPrimary, seal, type ToWorker, type WorkerOrders } from './messages.ts'
import type { ClusterStatus } from './types.ts'

/** Who hears what the primary says. */
export interface PrimaryListener {
  start(orders: WorkerOrders, handle: NativeHandle | undefined): void
  stop(): void
  peerDied(death: PeerDeath): void
  /** With so many connections it shall leave new ones to the others. */
  limited(connections: number): void
  /** It shall say how it fares now. */
  pinged(): void
  /** It shall listen again. */
  reopened(handle: NativeHandle): void
  /** The channel is closed: the primary is dead, or the app closed it. */
  orphaned(): void
}

/** What the worker's body leaves on the app's root (symbol `fastify-ah.worker`) for the plugin. */
export interface WorkerPlace {
  readonly orders: WorkerOrders
  readonly link: PrimaryLink
}

const ANSWER_MS = 5_000

type Answer = Extract<ToWorker, { readonly request: number }>

/** One per worker process. */
export class PrimaryLink {
  readonly #questions = new Map<number, (answer: Answer) => void>()
  readonly #reporters = new Set<() => void>()
  #lastQuestion = 0

  /** Begins to hear. What arrived before waits in the channel. */
  listen(listener: PrimaryListener): void {
    process.on('message', (raw, handle) => {
      const message = openFromPrimary(raw)
      switch (message?.type) {
        case 'start':
          return listener.start(message.orders, handle as unknown as NativeHandle | undefined)
        case 'stop':
          return listener.stop()
        case 'peer-death':
          return listener.peerDied(message.death)
        case 'ceiling':
          return listener.limited(message.connections)
        case 'ping':
          return listener.pinged()
        case 'ask-report':
          for (const report of this.#reporters) report()
          return
        case 'listen':
          return listener.reopened(handle as unknown as NativeHandle)
        case 'status':
        case 'reloading':
          return this.#questions.get(message.request)?.(message)
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

  /** The way of the numbers of the worker with this number. */
  reportLine(worker: number): ReportLine {
    return {
      worker: String(worker),
      send: (report) => this.send({ type: 'report', report }),
      onAsked: (listener) => this.#reporters.add(listener),
    }
  }

  /** Asks for the state of the cluster. Rejects with `AH_CLUSTER_PRIMARY_GONE`. */
  async status(): Promise<ClusterStatus> {
    const answer = await this.#ask('status')
    if (answer.type !== 'status') throw new AH_CLUSTER_PRIMARY_GONE()
    return answer.status
  }

  /** Asks for a reload; answers the generation that it will be. Rejects with `AH_CLUSTER_PRIMARY_GONE`. */
  async reload(): Promise<number> {
    const answer = await this.#ask('reload')
    if (answer.type !== 'reloading') throw new AH_CLUSTER_PRIMARY_GONE()
    return answer.generation
  }

  async #ask(type: 'status' | 'reload'): Promise<Answer> {
    this.#lastQuestion += 1
    const request = this.#lastQuestion
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Answer>((resolve, reject) => {
        if (!process.connected) throw new AH_CLUSTER_PRIMARY_GONE()
        this.#questions.set(request, resolve)
        timer = setTimeout(() => reject(new AH_CLUSTER_PRIMARY_GONE()), ANSWER_MS)
        void this.send({ type, request })
      })
    } finally {
      clearTimeout(timer)
      this.#questions.delete(request)
    }
  }
}
