// Becomes or stays the one who schedules, unless a newer release has somebody for it.
import { defineScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/**
 * A release is known by the fingerprint of its recurring definitions, and gets a number when it is first seen after an
 * absence: so the newest wins, and one that was rolled back to is new again. Answers who leads (1 this process, 2 a
 * program that is none of ours, 0 another of ours) and ms until the lock may be free.
 */
export const lead = defineScript({
  name: 'lead',
  keys: ['leader', 'releases'],
  args: ['name', 'lock_ms', 'fingerprint', 'absent_ms'],
  allowOom: true,
  lua: /* lua */ `${queueLua}
local now = now_in_ms()
local mine, newest = nil, 0
local known = redis.call('HGETALL', releases)
for index = 1, #known, 2 do
  local number, seen = string.match(known[index + 1], '^(%d+) (%d+)$')
  number = tonumber(number)
  if now - seen > tonumber(absent_ms) then
    redis.call('HDEL', releases, known[index])
  else
    newest = math.max(newest, number)
    if known[index] == fingerprint then mine = number end
  end
end
if not mine then
  mine = newest + 1
  newest = mine
end
redis.call('HSET', releases, fingerprint, string.format('%.0f %.0f', mine, now))
local holder = redis.call('GET', leader)
if mine < newest then
  if holder == name then redis.call('DEL', leader) end
  return {0, tonumber(lock_ms)}
end
if not holder or holder == name then
  redis.call('SET', leader, name, 'PX', lock_ms)
  return {1, tonumber(lock_ms)}
end
local is_ours = string.find(holder, '~ah:', 1, true)
return {is_ours and 0 or 2, math.max(redis.call('PTTL', leader), 0)}`,
})
