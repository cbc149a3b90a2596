// Which keys and slots lie on which master of a Redis Cluster.
import calculateSlot from 'cluster-key-slot'
import type { Cluster, Redis } from 'ioredis'
import type { RedisClient } from './target.ts'

// So many tags hit every slot, that of a master with a single one too.
const mostTags = 36 ** 4

/** The master's address as the client knows it now; '' off Cluster, and for a slot that nobody serves. */
export function masterOf(client: RedisClient, key: string): string {
  if (!client.isCluster) return ''
  return (client as Cluster).slots[calculateSlot(key)]?.[0] ?? ''
}

/** The client of the master that {@link masterOf} names; undefined while ioredis has no connection to it. */
export function masterClientOf(client: RedisClient, key: string): Redis | undefined {
  if (!client.isCluster) return client as Redis
  const address = masterOf(client, key)
  return (client as Cluster).nodes('master').find((master) => addressOf(master) === address)
}

/**
 * A key that begins with `stem` and lies on `master` (or on that with this address, see {@link masterOf}); undefined if
 * that one holds no slot. Off Cluster the stem.
 */
export function keyOnMaster(client: RedisClient, master: Redis | string, stem: string): string | undefined {
  if (!client.isCluster) return stem
  const node = typeof master === 'string' ? master : addressOf(master)
  if (!(client as Cluster).slots.some((nodes) => nodes?.[0] === node)) return undefined
  for (let number = 0; number < mostTags; number += 1) {
    const tag = `{${number.toString(36)}}`
    if (masterOf(client, tag) === node) return stem + tag
  }
  return undefined
}

/** Who holds each slot, by the last word of the cluster: equal texts mean that none has moved. Off Cluster empty. */
export function slotOwners(client: RedisClient): string {
  if (!client.isCluster) return ''
  const { slots } = client as Cluster
  let ranges = ''
  let last: string | undefined
  for (let slot = 0; slot < slots.length; slot += 1) {
    const owner = slots[slot]?.[0]
    if (owner !== last) ranges += `${slot} ${owner ?? 'nobody'},`
    last = owner
  }
  return ranges
}

/** The masters in {@link slotOwners} to which the client has no connection: ioredis drops a node whose socket ended. */
export function missingMasters(client: RedisClient): string[] {
  if (!client.isCluster) return []
  const owners = new Set((client as Cluster).slots.map((nodes) => nodes?.[0]))
  for (const master of (client as Cluster).nodes('master')) owners.delete(addressOf(master))
  return [...owners].map((owner) => owner ?? 'the owner of a slot')
}

/** As the slots of a Cluster client name a node. */
function addressOf({ options }: Redis): string {
  return `${options.host ?? '127.0.0.1'}:${options.port ?? 6379}`
}
