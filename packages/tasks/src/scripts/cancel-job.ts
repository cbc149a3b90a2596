// Cancels a job by its id: at once where it is scheduled, else told to all who could run it.
import { defineScript } from 'fastify-ah-kit/redis'
import { outcomeLua, queueLua } from './queue-lua.ts'

/**
 * Answers 0 if it is known to be finished, 1 if it was taken from where it was scheduled, 2 if it will not run, or its
 * signal aborts, as soon as a processor meets it. What was said more than `keep_ms` ago is forgotten.
 */
export const cancelJob = defineScript({
  name: 'cancel-job',
  keys: ['scheduled', 'scheduled_jobs', 'cancelled', 'processors', 'track'],
  args: ['root', 'id', 'track_ms', 'keep_ms'],
  lua: /* lua */ `${queueLua}${outcomeLua}
local state = redis.call('HGET', track, 'state')
if state and state ~= 'waiting' and state ~= 'running' then return state == 'cancelled' and 1 or 0 end
redis.call('ZREM', scheduled, id)
if redis.call('HDEL', scheduled_jobs, id) == 1 then
  if state then note_track(root, id, 'cancelled', '', track_ms) end
  return 1
end
local now = now_in_ms()
redis.call('ZREMRANGEBYSCORE', cancelled, '-inf', now - keep_ms)
redis.call('ZADD', cancelled, now, id)
for _, boot in ipairs(redis.call('ZRANGE', processors, 0, -1)) do mail(root, boot, 'cancel ' .. id) end
return 2`,
})
