// Writes a value of a dump.
import { defineScript } from 'fastify-ah-kit/redis'

/** Answers 1, or 0 if its end (ms since 1970, 0 for none) is over by Redis' clock: then nothing is written. */
export const restoreValue = defineScript({
  name: 'restore-value',
  keys: ['value'],
  args: ['expires_at', 'bytes'],
  lua: /* lua */ `
if expires_at ~= '0' then
  local now = redis.call('TIME')
  if tonumber(expires_at) <= now[1] * 1000 + math.floor(now[2] / 1000) then return 0 end
end
redis.call('SET', value, bytes)
if expires_at ~= '0' then redis.call('PEXPIREAT', value, expires_at) end
return 1`,
})
