// The cache through an outage: elements that are pushed come once, and what was saved is what is read.
import { Ledger } from '../ledger.ts'
import type { Pair } from '../pair.ts'
import type { Probe } from '../probe.ts'

const lanes = 4
const keysPerLane = 3

export function cacheProbe({ a, b }: Pair): Probe {
  const ledger = new Ledger()
  // Saves of whose fate nobody was told: any of them may have come, also late.
  const perhaps = new Set<unknown>()
  let stale = 0
  const nameOf = (lane: number, n: number) => `outage ${lane} ${n % keysPerLane}`
  return {
    subject: 'cache',
    lanes,
    pauseMs: 25,
    async step(n, lane) {
      const key = nameOf(lane, n)
      await ledger.ask(n, a.cache.push(`list ${key}`, n))
      try {
        await a.cache.save(`value ${key}`, n)
      } catch (error) {
        perhaps.add(n)
        throw error
      }
      const read = await b.cache.get(`value ${key}`)
      if (read !== n && !perhaps.has(read)) stale += 1
    },
    async settle() {
      for (let lane = 0; lane < lanes; lane += 1) {
        for (let n = 0; n < keysPerLane; n += 1) {
          const key = `list ${nameOf(lane, n)}`
          for (let item = await b.cache.pop(key); item !== null; item = await b.cache.pop(key)) ledger.see(Number(item))
        }
      }
      const ghosts = ledger.ghosts()
      const wrong = ghosts === 0 ? [] : [`${ghosts} pushed, and said to be not`]
      return { lost: ledger.missing().length + stale, doubled: ledger.doubled(), wrong }
    },
  }
}
