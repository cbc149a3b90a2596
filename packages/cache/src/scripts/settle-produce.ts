// Stores a produced value, if the right to it is still there.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * Answers 1 if it is stored; 0 if another owner locked the key meanwhile; 2 if the lease is not this run's any more (it
 * ended, or the key was destroyed); 3 if the key was written or emptied meanwhile: that is newer. A value that was there
 * at the claim and ended by itself is no reason not to store its successor. A repeat answers 2.
 */
export const settleProduce = defineScript({
  name: 'settle-produce',
  keys: ['value', 'lock', 'produce'],
  args: ['run', 'owner', 'bytes', 'ttl'],
  lua: /* lua */ `
local found = redis.call('MGET', value, lock, produce)
local now, holder, record = found[1], found[2], found[3]
local id, sha, ends = string.match(record or '', '^run (%S+) (%S+) (%S+)$')
if id ~= run then return 2 end
redis.call('DEL', produce)
if holder and holder ~= owner then return 0 end
local is_as_claimed = (now and redis.sha1hex(now) or '-') == sha
if not now and ends ~= '-' then
  local time = redis.call('TIME')
  -- Two commands may take the time of day a little apart.
  is_as_claimed = tonumber(ends) <= time[1] * 1000 + math.floor(time[2] / 1000) + 5
end
if not is_as_claimed then return 3 end
if ttl then redis.call('PSETEX', value, ttl, bytes) else redis.call('SET', value, bytes) end
return 1`,
})
