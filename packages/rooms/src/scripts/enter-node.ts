// Begins the life of a node in the rooms.
import { defineScript, sharedBeatLua } from 'fastify-ah-kit/redis'

/** `id` is new: nobody was ever called so. */
export const enterNode = defineScript({
  name: 'enter-rooms-node',
  keys: ['leases', 'beat_key'],
  args: ['id', 'lease_ms'],
  allowOom: true,
  lua: `${sharedBeatLua}
local lease = tonumber(lease_ms)
local now = beat(beat_key, lease)
redis.call('ZADD', leases, string.format('%.0f', now + lease), id)
return 1`,
})
