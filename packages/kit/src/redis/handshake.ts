// The deadline of the handshake: ioredis has none between the opening of a socket and the server's first words.
import type { Redis } from 'ioredis'
import { requestDeadlineMs } from './open-client.ts'
import type { RedisClient } from './target.ts'

/**
 * Has the client connect anew when a peer that took the connection then says nothing: one that is frozen, or a proxy
 * that has lost what is behind it. Answers how to stop that.
 */
export function watchHandshakes(client: RedisClient): () => void {
  let timer: NodeJS.Timeout | undefined
  const begin = (): void => {
    end()
    timer = setTimeout(giveUp, requestDeadlineMs).unref()
  }
  const giveUp = (): void => {
    if (client.status === 'connect') (client as Redis).disconnect(true)
  }
  const end = (): void => clearTimeout(timer)
  client.on('connect', begin)
  client.on('ready', end)
  client.on('close', end)
  return () => {
    end()
    client.off('connect', begin)
    client.off('ready', end)
    client.off('close', end)
  }
}
