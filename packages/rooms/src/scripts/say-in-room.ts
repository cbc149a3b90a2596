// Numbers, keeps and publishes messages: one order for all who hear them, and for the history.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/**
 * Behind the named arguments come the messages, each JSON without its closing brace, so that what Redis adds (`sentAt`, `id`,
 * `prev`, `epoch`) stands behind all that a sender wrote. Answers their ids in one text, or nil if there is no room.
 */
export const sayInRoom = defineGuardedScript({
  name: 'say-in-room',
  keys: ['meta', 'history', 'channel'],
  args: ['publish_command', 'most', 'keep_ms', '...'],
  lua: `local held = redis.call('HMGET', meta, 'epoch', 'last')
local epoch, prev = held[1], held[2]
if not epoch then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ms, number = string.match(prev, '^(%d+)-(%d+)$')
ms, number = tonumber(ms), tonumber(number) + 1
if now > ms then ms, number = now, 0 end
local sent_at = string.format('%.0f', now)
local head = string.format('%.0f', ms) .. '-'
local ids, frame = {}, {'ah1 said ' .. epoch .. ' ' .. prev}
for at = 5, #ARGV do
  local id = head .. string.format('%.0f', number)
  local text = ARGV[at] .. ',"sentAt":' .. sent_at .. ',"id":"' .. id .. '","prev":"' .. prev .. '","epoch":"' .. epoch .. '"}'
  redis.call('XADD', history, 'MAXLEN', '~', most, id, 'm', text)
  ids[#ids + 1] = id
  frame[#frame + 1] = id
  frame[#frame + 1] = text
  prev = id
  number = number + 1
end
redis.call('XTRIM', history, 'MINID', '~', string.format('%.0f', now - tonumber(keep_ms)))
redis.call('PEXPIRE', history, keep_ms)
redis.call('HSET', meta, 'last', prev)
redis.call(publish_command, channel, table.concat(frame, '\\n'))
return table.concat(ids, ' ')`,
})
