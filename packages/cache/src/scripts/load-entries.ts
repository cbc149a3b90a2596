// Reads the values that were asked for in one tick, with the holders of their locks.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * The keys are those of the values; a lock's is `lock_head` and what a value's has behind `cut` characters. Answers the values,
 * and behind them the holders if any of the keys is locked. A script, because twice the keys of an MGET cost the caller more
 * than the script costs Redis. Not for Redis Cluster.
 */
export const loadEntries = defineScript({
  name: 'load-entries',
  keys: ['...'],
  args: ['cut', 'lock_head'],
  writes: false,
  lua: /* lua */ `
local locks = {}
for index, value in ipairs(KEYS) do locks[index] = lock_head .. string.sub(value, cut + 1) end
local found = redis.call('MGET', unpack(KEYS))
if redis.call('EXISTS', unpack(locks)) > 0 then
  for index, holder in ipairs(redis.call('MGET', unpack(locks))) do found[#KEYS + index] = holder end
end
return found`,
})
