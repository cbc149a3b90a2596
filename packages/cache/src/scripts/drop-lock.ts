// Gives up the lock of one call.
import { defineScript } from 'fastify-ah-kit/redis'

/** Answers 1, or 0 if the lock is not that of this call (any more, or after a repeat: already). */
export const dropLock = defineScript({
  name: 'drop-lock',
  keys: ['lock', 'lock_call'],
  args: ['owner', 'call'],
  allowOom: true,
  lua: /* lua */ `
if redis.call('GET', lock) ~= owner or redis.call('GET', lock_call) ~= call then return 0 end
redis.call('DEL', lock, lock_call)
return 1`,
})
