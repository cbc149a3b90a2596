// Stores the values that were saved in one tick, each unless another owner holds its lock.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * The keys are those of the values; a lock's is `lock_head` and what a value's has behind `cut` characters, which halves what
 * has to be sent. The arguments end with bytes and time to live (ms, empty for none) in turns. Answers for each 1, 0 if it
 * is locked by another than `owner`, or the error's text: what is wrong with one key is no reason to drop the others. See
 * `save-entry`, which is the same for one. Not for Redis Cluster.
 */
export const saveEntries = defineScript({
  name: 'save-entries',
  keys: ['...'],
  args: ['owner', 'cut', 'lock_head', '...'],
  lua: /* lua */ `
local locks = {}
for index, value in ipairs(KEYS) do locks[index] = lock_head .. string.sub(value, cut + 1) end
local isAnyLocked = redis.call('EXISTS', unpack(locks)) > 0
local answers = {}
for index, value in ipairs(KEYS) do
  local bytes, ttl = ARGV[index * 2 + 2], ARGV[index * 2 + 3]
  local holder = isAnyLocked and redis.pcall('GET', locks[index]) or owner
  local answer = 1
  if type(holder) == 'table' then
    answer = holder.err
  elseif holder ~= owner then
    answer = 0
  else
    local done
    if ttl == '' then done = redis.pcall('SET', value, bytes) else done = redis.pcall('PSETEX', value, ttl, bytes) end
    if done.err then answer = done.err end
  end
  answers[index] = answer
end
return answers`,
})
