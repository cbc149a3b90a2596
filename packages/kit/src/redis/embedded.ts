// The store in memory as a target: what plugins use when nobody named a Redis.
import type { FastifyBaseLogger } from 'fastify'
import { AH_KIT_REDIS_MISSING } from './errors.ts'
import { openServer } from './open-client.ts'
import type { Target } from './target.ts'

/** A running embedded store. */
export interface EmbeddedTarget {
  readonly target: Target
  readonly close: () => Promise<void>
}

/** Starts the store in this process, and says so. Throws `AH_KIT_REDIS_MISSING` where it is not allowed. */
export async function embeddedTarget(log: FastifyBaseLogger, isAllowed: boolean): Promise<EmbeddedTarget> {
  if (!isAllowed) throw new AH_KIT_REDIS_MISSING()
  const { startEmbeddedStore } = await import('fastify-ah-embedded')
  const store = await startEmbeddedStore()
  log.warn(
    { path: store.path },
    'no Redis is given: using a store in memory, for this process alone and gone when it ends (set REDIS_URL for a real one)',
  )
  return {
    target: {
      label: 'the embedded store',
      isOwned: true,
      identity: store,
      open: (role) => openServer(role, { path: store.path }),
    },
    close: () => store.close(),
  }
}
