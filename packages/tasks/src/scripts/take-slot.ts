// Takes a slot of a concurrency key for a claimed job, or parks the job until one is free.
import { defineScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/**
 * Answers 1 if the job may run, 0 if it was parked (and is no longer claimed), -1 if the claim is another's by now. A
 * repeat of one that was parked finds no claim, and answers -1: either way it does not run here.
 */
export const takeSlot = defineScript({
  name: 'take-slot',
  keys: ['claims', 'holds', 'slots', 'parked', 'parked_counts', 'limits'],
  args: ['boot', 'claim', 'slot', 'max'],
  allowOom: true,
  lua: /* lua */ `${queueLua}
local value = redis.call('HGET', claims, claim)
if not value then return -1 end
local holder = boot .. ':' .. claim
if redis.call('SISMEMBER', slots, holder) == 1 then return 1 end
if redis.call('SCARD', slots) < tonumber(max) then
  redis.call('HSET', holds, claim, slot)
  redis.call('SADD', slots, holder)
  return 1
end
redis.call('RPUSH', parked, value)
redis.call('HDEL', claims, claim)
local _, _, queue = unmark(value)
redis.call('HINCRBY', parked_counts, queue, 1)
redis.call('HSET', limits, slot, max .. ' ' .. string.format('%.0f', now_in_ms()))
return 0`,
})
