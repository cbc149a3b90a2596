// Removes a value or a list unless another owner holds its lock.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * Answers 1 if there was one, 2 if there was none, 0 if the key is locked by another. The last call of each process and
 * its answer are kept longer than a call may take: a repeat is answered from there, and spares what was saved since.
 * The calls of a process arrive in their order, so an older one than the kept was applied too; its answer is gone.
 */
export const destroyEntry = defineScript({
  name: 'destroy-entry',
  keys: ['value', 'lock', 'last_calls', 'produce'],
  args: ['owner', 'origin', 'number'],
  // It frees memory, and must work when there is none.
  allowOom: true,
  lua: /* lua */ `
local last = redis.call('HGET', last_calls, origin)
if last then
  local last_number, answer = string.match(last, '^(%d+):(%d)$')
  if last_number == number then return tonumber(answer) end
  if tonumber(last_number) > tonumber(number) then
    return redis.error_reply('AHSTALE a newer call was applied before this repeat')
  end
end
local holder = redis.call('GET', lock)
if holder and holder ~= owner then return 0 end
-- Who produces the value just now read what it is made of before: that must not come back.
redis.call('DEL', produce)
local answer = redis.call('UNLINK', value) == 1 and 1 or 2
redis.call('HSET', last_calls, origin, number .. ':' .. answer)
redis.call('PEXPIRE', last_calls, 10000)
return answer`,
})
