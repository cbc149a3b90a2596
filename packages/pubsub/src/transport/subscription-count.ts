// How many subscriptions a server holds for a connection, by its own word.
import { toError } from 'fastify-ah-kit'
import type { ServerClient } from 'fastify-ah-kit/redis'

/**
 * Asks on the connection itself. Undefined where the server or the protocol does not let us: Redis before 6.2, a user
 * without the right, RESP2, in which a subscribed connection may not ask; a PING has to do then.
 */
export async function askSubscriptions(client: ServerClient): Promise<number | undefined> {
  try {
    const text = String(await client.call('CLIENT', 'INFO'))
    const counts = [/\bsub=(\d+)/, /\bpsub=(\d+)/, /\bssub=(\d+)/].map((field) => Number(field.exec(text)?.[1] ?? 0))
    return counts.reduce((sum, count) => sum + count, 0)
  } catch (thrown) {
    const error = toError(thrown)
    if (error.name !== 'ReplyError' && !/subscriber mode/.test(error.message)) throw error
  }
  await client.ping()
  return undefined
}
