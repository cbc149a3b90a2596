// Adds a batch of counts to one collection.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/**
 * The arguments are keys and amounts in turns. Answers the keys that were left as they are, since they hold no whole
 * number, or the sum would leave those that JavaScript can tell apart.
 *
 * Nothing is applied in part: what may fail (memory, rights, a key of another type) fails at the first field. The record
 * stays for a day: a batch whose answer was lost is sent again with its number for as long as Redis was away.
 */
export const addCounts = defineGuardedScript({
  name: 'add-counts',
  keys: ['counts'],
  args: ['...'],
  recordMs: 86_400_000,
  lua: /* lua */ `
local left = {}
for index = 2, #ARGV, 2 do
  local field, amount = ARGV[index], tonumber(ARGV[index + 1])
  local held = redis.call('HGET', counts, field)
  local sum
  if not held then
    sum = amount
  elseif string.find(held, '^%-?%d+$') then
    sum = tonumber(held) + amount
  end
  if sum and sum <= 9007199254740991 and sum >= -9007199254740991 then
    redis.call('HSET', counts, field, string.format('%.0f', sum))
  else
    left[#left + 1] = field
  end
end
return left`,
})
