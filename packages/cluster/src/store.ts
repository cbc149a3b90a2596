// The embedded store that the cluster brings along when there is no Redis.
import { toError } from 'fastify-ah-kit'
import { AH_CLUSTER_STORE_FAILED } from './errors.ts'

/** A running embedded store. */
export interface Store {
  /** For `REDIS_URL`. */
  readonly url: string
  close(): Promise<void>
}

/** What decides whether a store is started. */
export interface StoreWish {
  /** `--embedded` or `--no-embedded`; undefined: neither. */
  readonly embedded: boolean | undefined
  readonly redisUrl: string | undefined
  readonly nodeEnv: string | undefined
}

/**
 * Asked for: always. Not asked for: when no REDIS_URL is there, and never in production, where a forgotten REDIS_URL
 * must be an error and not a store that forgets.
 */
export function isStoreWanted({ embedded, redisUrl, nodeEnv }: StoreWish): boolean {
  return embedded ?? (!redisUrl && nodeEnv !== 'production')
}

/** Loaded only now: a cluster with a Redis of its own does not pay for it. */
export async function startStore(): Promise<Store> {
  try {
    const { startEmbeddedStore } = await import('fastify-ah-embedded')
    return await startEmbeddedStore()
  } catch (cause) {
    throw new AH_CLUSTER_STORE_FAILED(toError(cause).message, { cause })
  }
}
