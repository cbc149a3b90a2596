// Puts the nodes of a process that is known to be dead in the grave, before their lease ends.
import { defineScript } from 'fastify-ah-kit/redis'

/** Ids begin with the boot id, and go on, if they do, with `.` or `~`. */
export const buryNodes = defineScript({
  name: 'bury-rooms-nodes',
  keys: ['leases', 'graves'],
  args: ['boot_id'],
  allowOom: true,
  lua: `local count = 0
for _, id in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
  local behind = string.sub(id, #boot_id + 1, #boot_id + 1)
  if string.sub(id, 1, #boot_id) == boot_id and (behind == '' or behind == '.' or behind == '~') then
    redis.call('ZREM', leases, id)
    redis.call('SADD', graves, id)
    count = count + 1
  end
end
return count`,
})
