// Takes a lock that nobody holds, with a fencing token.
import { defineScript } from 'fastify-ah-kit/redis'
import { fenceMs, nextTokenLua } from './next-token.ts'

/**
 * Answers the token as text, or nil if anybody holds the lock. A repeat after a lost answer finds its own lock and
 * answers its token: nobody else was given one meanwhile.
 */
export const takeFencedLock = defineScript({
  name: 'take-fenced-lock',
  keys: ['lock', 'lock_call', 'fence'],
  args: ['owner', 'ttl', 'call'],
  lua: /* lua */ `${nextTokenLua}
if redis.call('SET', lock, owner, 'NX', 'PX', ttl) then
  redis.call('SET', lock_call, call, 'PX', ttl)
  local token = next_token(redis.call('GET', fence))
  redis.call('SET', fence, token, 'PX', ${fenceMs})
  return token
end
if redis.call('GET', lock) == owner and redis.call('GET', lock_call) == call then return redis.call('GET', fence) end
return false`,
})
