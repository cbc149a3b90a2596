// Owns apps with stats, as the tests open them.
import fastify, { type FastifyInstance } from 'fastify'
import { fastifyAhStats, type Stats, type StatsOptions } from 'fastify-ah-stats'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** An app, and what it wrote to its log from `warn` up. */
export interface LoggedApp {
  readonly app: FastifyInstance
  readonly stats: Stats
  readonly lines: Record<string, unknown>[]
}

/** A ready app with the plugin, closed at the end of the test. */
export async function openApp(options: StatsOptions, scope: TestScope): Promise<LoggedApp> {
  const lines: Record<string, unknown>[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const app = fastify({ logger: { level: 'info', stream } })
  atEnd(scope, () => app.close())
  await app.register(fastifyAhStats, options)
  await app.ready()
  return { app, stats: app.stats, lines }
}

/** The stats of such an app. They write only when told to, unless `writeMs` is given. */
export async function openStats(options: StatsOptions, scope: TestScope): Promise<Stats> {
  return (await openApp({ writeMs: 3_600_000, ...options }, scope)).stats
}
