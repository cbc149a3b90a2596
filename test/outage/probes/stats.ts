// Counters through an outage: each count once, or said to be given up.
import { until } from 'fastify-ah-test-support'
import type { Pair } from '../pair.ts'
import type { Probe } from '../probe.ts'

export function statsProbe({ a, b }: Pair): Probe {
  let counted = 0
  return {
    subject: 'stats',
    lanes: 1,
    pauseMs: 25,
    async step() {
      for (const { stats } of [a, b]) {
        stats.increment('outage')
        counted += 1
      }
      await Promise.all([a.stats.write(), b.stats.write()])
    },
    async settle() {
      const write = () => Promise.all([a.stats.write(), b.stats.write()]).then(() => true)
      await until(write, { what: 'all counts are written' })
      const sum = await a.stats.get('outage')
      const given = a.stats.lost + b.stats.lost
      const wrong = given === 0 ? [] : [`${given} counts were given up`]
      return { lost: Math.max(0, counted - sum), doubled: Math.max(0, sum - counted), wrong }
    },
  }
}
