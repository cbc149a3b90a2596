// Writes a part of a list of a dump.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * The parts gather in a key of their own, which takes the list's place with the last one: nobody sees half a list, and
 * a part that arrives twice finds its place taken. Answers 1, or 0 if the list's end is over.
 */
export const restoreList = defineScript({
  name: 'restore-list',
  keys: ['list', 'gathered'],
  args: ['expires_at', 'from', 'goes_on', '...'],
  lua: /* lua */ `
if expires_at ~= '0' then
  local now = redis.call('TIME')
  if tonumber(expires_at) <= now[1] * 1000 + math.floor(now[2] / 1000) then
    redis.call('UNLINK', gathered)
    return 0
  end
end
if from == '0' then redis.call('UNLINK', gathered) end
if redis.call('LLEN', gathered) == tonumber(from) then
  for index = 4, #ARGV do redis.call('RPUSH', gathered, ARGV[index]) end
end
if goes_on == '1' then
  redis.call('PEXPIRE', gathered, 600000)
elseif redis.call('EXISTS', gathered) == 1 then
  redis.call('RENAME', gathered, list)
  if expires_at == '0' then redis.call('PERSIST', list) else redis.call('PEXPIREAT', list, expires_at) end
end
return 1`,
})
