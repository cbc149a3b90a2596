// Applies the changes of one list or counter that were asked for in one tick, in their order.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/** What can be done: with a list, `push` and `pop`; with a number, `increment`. */
export type ChangeVerb = 'push' | 'pop' | 'increment'

/**
 * The arguments are verb, owner and what in turns. To a push that is the element; to an increment the number to add, the
 * time to live in ms of a counter that begins with it (`-` for none), and the time of day in ms that it then carries.
 * Answers one for each: 1 for a push; the element of a pop or the sum of an increment as text; 2 for nothing there; 0
 * where another owner holds the lock; -1 where the key holds no list; -2 where it holds no whole number; -3 where the sum
 * would leave the whole numbers that JavaScript can tell apart.
 *
 * The number of an entry is changed in its place: its further members, its end and its time of saving stay.
 */
export const changeKey = defineGuardedScript({
  name: 'change-key',
  keys: ['key', 'lock'],
  args: ['...'],
  lua: /* lua */ `
local holder = redis.call('GET', lock)

local function increment(type_name, what)
  if type_name ~= 'none' and type_name ~= 'string' then return -2 end
  local by, ttl, now = string.match(what, '^(%S+) (%S+) (%S+)$')
  local number, rest = '0', ',"createdAt":' .. now .. '}'
  if type_name == 'string' then
    number, rest = string.match(redis.call('GET', key), '^{"value":(-?%d+)(,"createdAt":%d.*)$')
    if not number then return -2 end
  end
  local sum = tonumber(number) + tonumber(by)
  if sum > 9007199254740991 or sum < -9007199254740991 then return -3 end
  local text = string.format('%.0f', sum)
  local bytes = '{"value":' .. text .. rest
  if type_name == 'string' then
    redis.call('SET', key, bytes, 'KEEPTTL')
  elseif ttl == '-' then
    redis.call('SET', key, bytes)
  else
    redis.call('SET', key, bytes, 'PX', ttl)
  end
  return text
end

local answers = {}
for index = 2, #ARGV, 3 do
  local verb, owner, what = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  local type_name = redis.call('TYPE', key).ok
  local answer
  if holder and holder ~= owner then
    answer = 0
  elseif verb == 'increment' then
    answer = increment(type_name, what)
  elseif type_name ~= 'none' and type_name ~= 'list' then
    answer = -1
  elseif verb == 'push' then
    redis.call('RPUSH', key, what)
    answer = 1
  else
    answer = redis.call('LPOP', key) or 2
  end
  answers[#answers + 1] = answer
end
return answers`,
})
