// Owns a node's sign of life in the rooms: its lease is renewed, and those whose lease has ended are put in the grave.
import { defineScript, sharedBeatLua } from 'fastify-ah-kit/redis'

/** Answers whether the node was known: one that was not was taken for dead, or Redis has lost what it knew. */
export const beatNode = defineScript({
  name: 'beat-rooms-node',
  keys: ['leases', 'graves', 'beat_key'],
  args: ['id', 'lease_ms'],
  allowOom: true,
  lua: `${sharedBeatLua}
local lease = tonumber(lease_ms)
local now = beat(beat_key, lease)
local was_known = redis.call('ZSCORE', leases, id) and 1 or 0
if was_known == 1 then redis.call('ZADD', leases, string.format('%.0f', now + lease), id) end
if may_expire(beat_key, lease) then
  local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, 100)
  for _, node in ipairs(ended) do
    redis.call('ZREM', leases, node)
    redis.call('SADD', graves, node)
  end
end
return was_known`,
})
