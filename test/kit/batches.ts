// Owns batches whose sends are noted, or answered by hand.
import { TickBatch, type TickBatchOptions } from 'fastify-ah-kit'

/** A batch that notes what it was given to send, and answers each number with itself. */
export function noted(options: Partial<TickBatchOptions<number, number>> = {}) {
  const sent: (readonly number[])[] = []
  const batch = new TickBatch<number, number>({
    name: 'noted',
    send: async (items) => {
      sent.push(items)
      return items
    },
    ...options,
  })
  return { batch, sent }
}

/** A `send` that is answered by hand. */
export function byHand(options: Partial<TickBatchOptions<number, number>> = {}) {
  const pending: { items: readonly number[]; answer: () => void; fail: (error: unknown) => void }[] = []
  const batch = new TickBatch<number, number>({
    name: 'by hand',
    send: (items) =>
      new Promise((resolve, reject) => {
        pending.push({ items, answer: () => resolve(items), fail: reject })
      }),
    ...options,
  })
  return { batch, pending }
}

/** Everything that is ready to run has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** 0, 1, 2, … */
export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
