// Asks for a value by getOrSet as often as it is told, with a producer that works, throws, hangs or dies. Arguments: the
// URL of Redis, and after how many ms a dead producer is replaced. Answers the outcomes and how often its producer ran.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { fastifyAhCache } from 'fastify-ah-cache'

interface Order {
  readonly key: string
  readonly calls: number
  readonly does: 'work' | 'throw' | 'hang'
  readonly timeoutMs: number
  readonly staleMs?: number
}

const [redis = '', produceLeaseMs] = process.argv.slice(2)
const app = fastify()
await app.register(fastifyAhCache, { redis, produceLeaseMs: Number(produceLeaseMs) })
await app.ready()

process.on('message', async ({ key, calls, does, timeoutMs, staleMs }: Order) => {
  let runs = 0
  const produce = async (signal: AbortSignal): Promise<{ by: number }> => {
    runs += 1
    process.send?.('running')
    if (does === 'hang') await new Promise((resolve) => signal.addEventListener('abort', resolve))
    // Long enough for all the others to have asked.
    await sleep(300)
    if (does === 'throw') throw Object.assign(new Error('the source is down'), { code: 'E_SOURCE', statusCode: 503 })
    return { by: process.pid }
  }
  const outcomes = await Promise.all(
    Array.from({ length: calls }, () =>
      app.cache.getOrSet(key, { expireMs: 60_000, timeoutMs, staleMs }, produce).catch((error) => {
        const { message, code, statusCode } = error as Error & { code?: string; statusCode?: number }
        return { message, code, statusCode }
      }),
    ),
  )
  process.send?.({ runs, outcomes })
})
process.send?.('ready')
