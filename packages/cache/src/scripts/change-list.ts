// Applies the operations on one list that were asked for in one tick, in their order.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/** What can be done with a list. */
export type ListVerb = 'push' | 'pop'

/**
 * The arguments are verb, owner and element in turns; answers one for each: the element of a pop as text; 1 for a push;
 * 2 for nothing there; 0 where another owner holds the lock; -1 where the key holds no list.
 */
export const changeList = defineGuardedScript({
  name: 'change-list',
  keys: ['list', 'lock'],
  args: ['...'],
  lua: /* lua */ `
local type_name = redis.call('TYPE', list).ok
local is_list = type_name == 'none' or type_name == 'list'
local holder = redis.call('GET', lock)
local answers = {}
for index = 2, #ARGV, 3 do
  local verb, owner, element = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  local answer
  if holder and holder ~= owner then
    answer = 0
  elseif not is_list then
    answer = -1
  elseif verb == 'push' then
    redis.call('RPUSH', list, element)
    answer = 1
  else
    answer = redis.call('LPOP', list) or 2
  end
  answers[#answers + 1] = answer
end
return answers`,
})
