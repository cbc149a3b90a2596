// Which master a key lies on.
import calculateSlot from 'cluster-key-slot'
import type { Cluster } from 'ioredis'
import type { RedisClient } from './target.ts'

/** The master's address as the client knows it now; '' off Cluster, and for a slot that nobody serves. */
export function masterOf(client: RedisClient, key: string): string {
  if (!client.isCluster) return ''
  return (client as Cluster).slots[calculateSlot(key)]?.[0] ?? ''
}
