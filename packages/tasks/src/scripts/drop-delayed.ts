// Removes a payload from all of Resque's seconds that it stands in.
import { defineScript } from 'fastify-ah-kit/redis'

/** Answers the seconds. */
export const dropDelayed = defineScript({
  name: 'drop-delayed',
  keys: ['timestamps', 'delayed_schedule'],
  args: ['root', 'payload'],
  allowOom: true,
  lua: /* lua */ `
local seconds = {}
for _, list in ipairs(redis.call('SMEMBERS', timestamps)) do
  local second = string.match(list, '(%d+)$')
  if redis.call('LREM', root .. list, 0, payload) > 0 then seconds[#seconds + 1] = second end
  if redis.call('EXISTS', root .. list) == 0 then redis.call('ZREM', delayed_schedule, second) end
end
redis.call('DEL', timestamps)
return seconds`,
})
