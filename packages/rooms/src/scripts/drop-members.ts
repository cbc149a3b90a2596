// Takes the members of a node that died out of a room.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/**
 * `mark` is what the details of a member of that node begin with. Answers id and details of each that was taken out, in turns;
 * of at most 200, and whether there are more.
 */
export const dropMembers = defineGuardedScript({
  name: 'drop-members',
  keys: ['members'],
  args: ['mark'],
  allowOom: true,
  lua: `local held = redis.call('HGETALL', members)
local dropped, more = {}, 0
for index = 1, #held, 2 do
  if string.sub(held[index + 1], 1, #mark) == mark then
    if #dropped >= 400 then
      more = 1
      break
    end
    redis.call('HDEL', members, held[index])
    dropped[#dropped + 1] = held[index]
    dropped[#dropped + 1] = held[index + 1]
  end
end
return {more, dropped}`,
})
