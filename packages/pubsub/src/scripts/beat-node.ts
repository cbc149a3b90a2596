// Owns a node's sign of life: its lease is renewed, leases that have ended are taken out, and the list is read.
import { defineScript } from 'fastify-ah-kit/redis'
import { nodeRecordsLua } from './node-records.ts'

/**
 * Answers the time in ms by Redis, whether the node was in the list before, whether leases may end just now, the records
 * of at most 100 nodes that it took out, and those of all that live.
 */
export const beatNode = defineScript({
  name: 'beat-node',
  keys: ['list', 'leases', 'beat_key'],
  args: ['id', 'record', 'lease_ms', 'keep_ms'],
  allowOom: true,
  lua: `${nodeRecordsLua}
local lease = tonumber(lease_ms)
local now = beat(beat_key, lease)
local was_known = redis.call('ZSCORE', leases, id) and 1 or 0
redis.call('HSET', list, id, record)
redis.call('ZADD', leases, string.format('%.0f', now + lease), id)
redis.call('PEXPIRE', list, keep_ms)
redis.call('PEXPIRE', leases, keep_ms)
local may_end = may_expire(beat_key, lease)
local gone = {}
if may_end then
  for _, ended in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, 100)) do
    gone[#gone + 1] = redis.call('HGET', list, ended)
    redis.call('HDEL', list, ended)
    redis.call('ZREM', leases, ended)
  end
end
return {now, was_known, may_end and 1 or 0, gone, live_nodes(list, leases, may_end, now)}`,
})
