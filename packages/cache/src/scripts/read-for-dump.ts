// Reads a value, or a part of a list, together with its end.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * Answers type, end (ms since 1970 by Redis, 0 for none), whether the list goes on, and the contents; nil for what is
 * gone or of another type.
 */
export const readForDump = defineScript({
  name: 'read-for-dump',
  keys: ['value'],
  args: ['from', 'count'],
  writes: false,
  lua: /* lua */ `
local type_name = redis.call('TYPE', value).ok
local contents
local goes_on = 0
if type_name == 'string' then
  contents = { redis.call('GET', value) }
elseif type_name == 'list' then
  local first, behind = tonumber(from), tonumber(from) + tonumber(count)
  contents = redis.call('LRANGE', value, first, behind - 1)
  if redis.call('LLEN', value) > behind then goes_on = 1 end
else
  return false
end
local expires_at = 0
local ttl = redis.call('PTTL', value)
if ttl >= 0 then
  local now = redis.call('TIME')
  expires_at = now[1] * 1000 + math.floor(now[2] / 1000) + ttl
end
return { type_name, expires_at, goes_on, contents }`,
})
