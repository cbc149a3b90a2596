// Removes jobs from a part of a list: those of a task, or those with certain bytes.
import { defineGuardedScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/**
 * Looks at the list from `from` to `to`, from its end on. `kind` is `class` for the jobs of the task `what`, or `bytes` for
 * those that begin with `what` and end there, or go on with a member of ours. `is_marked` is 1 for a list of ours. What is
 * found is overwritten with `grave`, which no payload can be, and these go in one pass: removing each by its bytes would
 * look through the whole list for each. Answers how many there were, `most` at most.
 */
export const dropJobs = defineGuardedScript({
  name: 'drop-jobs',
  keys: ['list'],
  args: ['from', 'to', 'kind', 'what', 'is_marked', 'most', 'grave'],
  allowOom: true,
  lua: /* lua */ `${queueLua}
most = tonumber(most)
local function is_meant(value)
  local raw = value
  if is_marked == '1' then
    if not string.match(value, '^%a%d+:%d+:') then return false end
    local _, _, _, payload = unmark(value)
    raw = payload
  end
  if kind == 'class' then
    local is_json, job = pcall(cjson.decode, raw)
    return is_json and type(job) == 'table' and job.class == what
  end
  if string.sub(raw, 1, #what) ~= what then return false end
  local rest = string.sub(raw, #what + 1)
  return rest == '}' or string.sub(rest, 1, 7) == ',"ah":{'
end
local values = redis.call('LRANGE', list, from, to)
local removed = 0
for position = #values, 1, -1 do
  if removed == most then break end
  if is_meant(values[position]) then
    redis.call('LSET', list, from + position - 1, grave)
    removed = removed + 1
  end
end
if removed > 0 then redis.call('LREM', list, -removed, grave) end
return removed`,
})
