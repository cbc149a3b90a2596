// Locks through an outage: one holder at a time, or the one that lost it knows; tokens only grow.
import { setTimeout as sleep } from 'node:timers/promises'
import { random } from 'fastify-ah-test-support'
import type { Pair } from '../pair.ts'
import type { Probe } from '../probe.ts'

const keys = 3

export function locksProbe({ a, b }: Pair): Probe {
  const holders = new Map<string, Set<AbortSignal>>()
  const tokens = new Map<string, number>()
  let doubled = 0
  let backwards = 0
  const hold = async (key: string, signal: AbortSignal, token: number) => {
    const others = holders.get(key) ?? new Set()
    holders.set(key, others)
    // One that was told counts no more: what it still writes is refused by its token.
    doubled += [...others].filter((other) => !other.aborted).length
    if (token <= (tokens.get(key) ?? 0)) backwards += 1
    tokens.set(key, Math.max(token, tokens.get(key) ?? 0))
    others.add(signal)
    // Of different length, so that the outage meets those who hold, wait and let go.
    await sleep(random() * 120)
    others.delete(signal)
  }
  return {
    subject: 'locks',
    lanes: 2 * keys,
    pauseMs: 80,
    async step(_n, lane) {
      const key = `outage lock ${lane % keys}`
      const { cache } = lane < keys ? a : b
      await cache.withLock(key, { ms: 1_500, waitMs: 3_000 }, (signal, token) => hold(key, signal, token))
    },
    async settle() {
      return { lost: 0, doubled, wrong: backwards === 0 ? [] : [`${backwards} tokens did not grow`] }
    },
  }
}
