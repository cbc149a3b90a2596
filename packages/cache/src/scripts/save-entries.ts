// Stores the values that were saved in one tick, each unless another owner holds its lock.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * The keys are value and lock in turns, the arguments the owner of all, then bytes and time to live (ms, empty for none) in
 * turns. Answers for each 1, 0 if it is locked by another, or the error's text: what is wrong with one key is no reason to
 * drop the others. See `save-entry`, which is the same for one.
 */
export const saveEntries = defineScript({
  name: 'save-entries',
  keys: ['...'],
  args: ['...'],
  lua: /* lua */ `
local owner = ARGV[1]
local locks = {}
for index = 2, #KEYS, 2 do locks[#locks + 1] = KEYS[index] end
local isAnyLocked = redis.call('EXISTS', unpack(locks)) > 0
local answers = {}
for index = 1, #KEYS / 2 do
  local value, lock = KEYS[index * 2 - 1], KEYS[index * 2]
  local bytes, ttl = ARGV[index * 2], ARGV[index * 2 + 1]
  local holder = isAnyLocked and redis.pcall('GET', lock) or owner
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
