// Gives up a lock, if it is ours.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * Answers 1 if this owner's lock is given up or nobody holds one, 0 if another owner does. The numbers of a process's
 * calls ascend: a lock that a later call of it took is not the one that was to be given up, so this is a repeat whose
 * first run did its work.
 */
export const releaseLock = defineScript({
  name: 'release-lock',
  keys: ['lock', 'lock_call'],
  args: ['owner', 'origin', 'number'],
  allowOom: true,
  lua: /* lua */ `
local holder = redis.call('GET', lock)
if holder and holder ~= owner then return 0 end
local taken_by, taken_at = string.match(redis.call('GET', lock_call) or '', '^(.*):(%d+)$')
if taken_by == origin and tonumber(taken_at) > tonumber(number) then return 1 end
redis.call('DEL', lock, lock_call)
return 1`,
})
