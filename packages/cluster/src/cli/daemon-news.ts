// What a cluster in the background tells the command that started it, once: that it serves, or why it does not.
import process from 'node:process'
import type { Audience } from '../journal.ts'

/** The message. */
export type News =
  | { readonly type: 'serves'; readonly workers: number }
  | { readonly type: 'failed'; readonly text: string; readonly code: number }

const MARK = 'fastifyAhDaemon'

/** The one end of the channel that is in the background. */
export class DaemonNews implements Audience {
  serves(workers: number): void {
    void tell({ type: 'serves', workers })
  }

  reloads(): void {
    // Long after the command has gone.
  }

  stops(): void {
    // The end of the process says it.
  }
}

/** Tells why nothing serves, if somebody still waits. */
export function tellFailure(text: string, code: number): Promise<void> {
  return tell({ type: 'failed', text, code })
}

/** Undefined for what is none: the app may write on its primary's channel too. */
export function openNews(raw: unknown): News | undefined {
  if (typeof raw !== 'object' || raw === null || !(MARK in raw)) return undefined
  return raw[MARK] as News
}

/** Settles when it has left. The channel is closed then: it would keep a cluster that has ended from exiting. */
function tell(news: News): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) {
      resolve()
      return
    }
    // An error means that nobody waits any more.
    process.send({ [MARK]: news }, undefined, undefined, () => {
      if (process.connected) process.disconnect()
      resolve()
    })
  })
}
