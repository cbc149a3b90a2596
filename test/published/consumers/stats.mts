// A consumer of fastify-ah-stats: what its types promise, and what they refuse.
import Fastify from 'fastify'
import fastifyAhStatsDefault, { fastifyAhStats, type Stats, type StatsOptions } from 'fastify-ah-stats'
import plugin from 'fastify-ah-stats/plugin'

const options: StatsOptions = { writeMs: 500, collections: ['stats', 'stats:web-1'] }
const app = Fastify()
await app.register(fastifyAhStatsDefault)
await app.register(fastifyAhStats, options)
await app.register(plugin, { decorator: 'second' })
// @ts-expect-error: there is no such option
await app.register(fastifyAhStats, { writeSeconds: 5 })

app.stats.increment('visits')
app.stats.increment('visits', -2)
// @ts-expect-error: an amount is a number
app.stats.increment('visits', '1')
const visits: number = await app.stats.get('visits', 'stats:web-1')
const all: Record<string, Record<string, number>> = await app.stats.getAll(['stats'])
// @ts-expect-error: nothing sets it
app.stats.lost = 0
const stats: Stats = app.stats
await stats.write()

export { all, visits }
