// Owns taking nodes out of the list: one that closes, those of a process that died.
import { defineScript } from 'fastify-ah-kit/redis'

/** Takes out all nodes of a process, by its boot id; answers the ids of those that were there. */
export const dropNodes = defineScript({
  name: 'drop-nodes',
  keys: ['list', 'leases'],
  args: ['boot_id', 'only_this'],
  allowOom: true,
  lua: `local dropped = {}
for _, id in ipairs(redis.call('HKEYS', list)) do
  local is_one = id == boot_id
  if not is_one and only_this == '' and string.sub(id, 1, #boot_id + 1) == boot_id .. '.' then
    is_one = string.find(string.sub(id, #boot_id + 2), '^%d+$') ~= nil
  end
  if is_one then
    redis.call('HDEL', list, id)
    redis.call('ZREM', leases, id)
    dropped[#dropped + 1] = id
  end
end
return dropped`,
})
