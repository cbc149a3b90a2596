// Gives a lock back, if it is still the holder's.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * `owner` is how the lock's value ends behind its first number; '' stands for a program of Resque's, which writes nothing
 * there. Answers 1 if it was given back.
 */
export const freeLock = defineScript({
  name: 'free-lock',
  keys: ['lock'],
  args: ['owner'],
  allowOom: true,
  lua: /* lua */ `
local holder = redis.call('GET', lock)
if not holder or string.gsub(holder, '^%d+', '', 1) ~= owner then return 0 end
return redis.call('DEL', lock)`,
})
