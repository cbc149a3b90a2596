// Breaks the way to Redis, for apps that reach it through proxies; the servers among each other notice nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TcpProxy } from 'fastify-ah-test-support'
import type { Broken, Extent } from './faults.ts'

// No connection that subscribes is meant: there an answer cannot be told from a message.
const asks = /^(?:evalsha|eval|blpop|get|set|hget|mget|wait|publish)$/i
const cutEveryMs = 200

/** Black hole: sockets stay open, nothing passes; what was held back arrives at the end. */
export async function swallow(proxies: readonly TcpProxy[], { awayMs }: Extent): Promise<Broken> {
  const began = performance.now()
  for (const proxy of proxies) proxy.swallow()
  // Time is the subject: how long nothing passes.
  await sleep(awayMs)
  for (const proxy of proxies) proxy.pass()
  return { began, back: performance.now(), heal: async () => undefined }
}

/** Again and again a command is done, and its answer and connection are cut off. */
export async function cutAnswers(proxies: readonly TcpProxy[], { awayMs }: Extent): Promise<Broken> {
  const began = performance.now()
  let cuts = 0
  while (performance.now() < began + awayMs) {
    const orders = proxies.map((proxy) => proxy.cutAnswers({ after: (_, [name]) => asks.test(name ?? '') }))
    // Time is the subject: work goes on between two cuts.
    await sleep(cutEveryMs)
    for (const proxy of proxies) proxy.pass()
    cuts += (await Promise.all(orders)).reduce((sum, cut) => sum + cut, 0)
  }
  if (cuts < 3) throw new Error(`only ${cuts} answers were cut off: there was no load`)
  return { began, back: performance.now(), heal: async () => undefined }
}
