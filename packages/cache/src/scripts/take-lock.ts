// Takes a lock that nobody holds.
import { defineScript } from 'fastify-ah-kit/redis'
import { fenceMs, nextTokenLua } from './next-token.ts'

/**
 * Answers 1 if it is taken, 0 if anybody holds it, the same owner too. The call's id lives beside the lock, as long as
 * the lock: a repeat after a lost answer finds its own lock and answers 1 instead of waiting for itself. Where fencing
 * tokens are in use, those given out before are old from now on.
 */
export const takeLock = defineScript({
  name: 'take-lock',
  keys: ['lock', 'lock_call', 'fence'],
  args: ['owner', 'ttl', 'call'],
  lua: /* lua */ `${nextTokenLua}
if redis.call('SET', lock, owner, 'NX', 'PX', ttl) then
  redis.call('SET', lock_call, call, 'PX', ttl)
  local last = redis.call('GET', fence)
  if last then redis.call('SET', fence, next_token(last), 'PX', ${fenceMs}) end
  return 1
end
if redis.call('GET', lock) == owner and redis.call('GET', lock_call) == call then return 1 end
return 0`,
})
