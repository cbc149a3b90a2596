// Looks for the job of a queue that has waited longest and says since when.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * The first payload with a time in its own member, from the head of each list in turn; nothing if none of the first
 * `most` jobs, or none within the first `bytes` bytes, has one.
 */
export const findMarked = defineScript({
  name: 'find-marked',
  keys: ['...'],
  args: ['most', 'bytes'],
  writes: false,
  lua: /* lua */ `
local left, room = tonumber(most), tonumber(bytes)
for _, list in ipairs(KEYS) do
  local index = 0
  while left > 0 and room > 0 do
    local payload = redis.call('LINDEX', list, index)
    if not payload then break end
    index, left, room = index + 1, left - 1, room - #payload
    local start = string.find(payload, ',"ah":{"v":1,', 1, true)
    if start and string.find(payload, '"at":%d', start) then return payload end
  end
end
return false`,
})
