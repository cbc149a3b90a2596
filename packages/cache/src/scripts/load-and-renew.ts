// Reads a value and its lock, and has the value live on.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * Answers what MGET of value and lock answers; the value's end is moved only if its bytes may be seen. MGET, because a
 * list in this place is a miss and no error.
 */
export const loadAndRenew = defineScript({
  name: 'load-and-renew',
  keys: ['value', 'lock'],
  args: ['owner', 'ttl'],
  lua: /* lua */ `
local found = redis.call('MGET', value, lock)
local bytes, holder = found[1], found[2]
if bytes and (not holder or holder == owner) then redis.call('PEXPIRE', value, ttl) end
return found`,
})
