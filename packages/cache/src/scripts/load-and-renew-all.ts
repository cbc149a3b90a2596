// Reads the values that were loaded in one tick with a new time to live, with their locks, and has them live on.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * The keys are value and lock in turns, the arguments owner and time to live in ms. Answers value and lock in turns. See
 * `load-and-renew`, which is the same for one.
 */
export const loadAndRenewAll = defineScript({
  name: 'load-and-renew-all',
  keys: ['...'],
  args: ['...'],
  lua: /* lua */ `
local answers = {}
for index = 1, #KEYS - 1, 2 do
  local found = redis.call('MGET', KEYS[index], KEYS[index + 1])
  local bytes, holder = found[1], found[2]
  if bytes and (not holder or holder == ARGV[index]) then redis.call('PEXPIRE', KEYS[index], ARGV[index + 1]) end
  answers[index], answers[index + 1] = bytes, holder
end
return answers`,
})
