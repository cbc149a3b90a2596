// Owns publishing on Redis Cluster by the master of the channel's slot.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * PUBLISH names no key, so a Cluster takes it at any node, and from different nodes messages arrive in different orders.
 * A script whose key is the channel is sent to, and refused by anybody but, the master of that slot.
 */
export const publishOnMaster = defineScript({
  name: 'publish-on-master',
  keys: ['channel'],
  args: ['text'],
  allowOom: true,
  lua: `return redis.call('PUBLISH', channel, text)`,
})
