// Waiting for a connection while the app boots: ready in time, or one clear error.
import { AH_KIT_REDIS_BOOT } from './errors.ts'
import { isFatalAtBoot, reasonOf } from './failure.ts'
import type { RedisClient } from './target.ts'

/** How long the boot waits, in ms. Fastify itself gives a plugin 10 s and then blames the plugin. */
const bootDeadlineMs = 8000

/**
 * Resolves once the client is ready. Rejects with `AH_KIT_REDIS_BOOT` at the deadline, and at once where waiting
 * cannot help: a wrong password, a certificate that is not trusted, a client that was closed.
 */
export function untilReady(client: RedisClient, label: string, deadlineMs: number = bootDeadlineMs): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  return new Promise((resolve, reject) => {
    let reason: Error | undefined
    const timer = setTimeout(() => end(`no connection within ${deadlineMs} ms`), deadlineMs)
    const stop = (): void => {
      clearTimeout(timer)
      client.off('ready', onReady)
      client.off('error', onError)
      client.off('node error', onError)
      client.off('end', onEnd)
    }
    const end = (what: string): void => {
      stop()
      const because = reason === undefined ? '' : `: ${reason.message || (reason as NodeJS.ErrnoException).code}`
      reject(new AH_KIT_REDIS_BOOT(`Redis at ${label}: ${what}${because}`, { cause: reason }))
    }
    const onReady = (): void => {
      stop()
      resolve()
    }
    const onError = (error: Error): void => {
      reason = reasonOf(error)
      if (isFatalAtBoot(reason)) end('not let in')
    }
    const onEnd = (): void => end('the client is closed')
    client.on('ready', onReady)
    client.on('error', onError)
    client.on('node error', onError)
    client.on('end', onEnd)
    if (client.status === 'end') onEnd()
    // A client made with lazyConnect waits to be asked; its failures arrive as events too.
    if (client.status === 'wait') client.connect().catch(onError)
  })
}
