// Stores a value unless another owner holds its lock or a newer fencing token is known.
import { defineScript } from 'fastify-ah-kit/redis'
import { fenceMs } from './next-token.ts'

/** Answers 1; 0 if the key is locked by another; 2 if the token is older than the last. The token becomes the last. */
export const saveFencedEntry = defineScript({
  name: 'save-fenced-entry',
  keys: ['value', 'lock', 'fence'],
  args: ['owner', 'bytes', 'token', 'ttl'],
  lua: /* lua */ `
local holder = redis.call('GET', lock)
if holder and holder ~= owner then return 0 end
local last = redis.call('GET', fence)
if last and tonumber(last) > tonumber(token) then return 2 end
redis.call('SET', fence, token, 'PX', ${fenceMs})
if ttl then
  redis.call('PSETEX', value, ttl, bytes)
else
  redis.call('SET', value, bytes)
end
return 1`,
})
