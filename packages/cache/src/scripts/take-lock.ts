// Takes a lock that nobody holds.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * Answers 1 if it is taken, 0 if anybody holds it, the same owner too. The call's id lives beside the lock, as long as
 * the lock: a repeat after a lost answer finds its own lock and answers 1 instead of waiting for itself.
 */
export const takeLock = defineScript({
  name: 'take-lock',
  keys: ['lock', 'lock_call'],
  args: ['owner', 'ttl', 'call'],
  lua: /* lua */ `
if redis.call('SET', lock, owner, 'NX', 'PX', ttl) then
  redis.call('SET', lock_call, call, 'PX', ttl)
  return 1
end
if redis.call('GET', lock) == owner and redis.call('GET', lock_call) == call then return 1 end
return 0`,
})
