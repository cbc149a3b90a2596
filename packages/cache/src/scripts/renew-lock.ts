// Has the lock of one call live on.
import { defineScript } from 'fastify-ah-kit/redis'
import { fenceMs } from './next-token.ts'

/** Answers 1, or 0 if the lock is not that of this call any more: another one may be the same owner's. */
export const renewLock = defineScript({
  name: 'renew-lock',
  keys: ['lock', 'lock_call', 'fence'],
  args: ['owner', 'ttl', 'call'],
  allowOom: true,
  lua: /* lua */ `
if redis.call('GET', lock) ~= owner or redis.call('GET', lock_call) ~= call then return 0 end
redis.call('PEXPIRE', lock, ttl)
redis.call('PEXPIRE', lock_call, ttl)
redis.call('PEXPIRE', fence, ${fenceMs})
return 1`,
})
