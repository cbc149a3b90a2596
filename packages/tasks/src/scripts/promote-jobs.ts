// Moves jobs whose time has come into their queues, a bounded batch at a time.
import { defineScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/**
 * Only the leader moves what lies in Resque's lists; what is ours moves, if a program that is none of ours leads, whoever
 * comes first. A payload whose queue cannot be read goes to `fallback`, where its worker says what is wrong with it. A second
 * without a list goes off the schedule: resque-scheduler leaves one when it takes a job back.
 * Answers how many were moved, ms until the next is due, or -1, and the seconds that were looked at.
 */
export const promoteJobs = defineScript({
  name: 'promote-jobs',
  keys: ['leader', 'scheduled', 'scheduled_jobs', 'delayed_schedule'],
  args: ['root', 'name', 'most', 'fallback'],
  lua: /* lua */ `${queueLua}
local holder = redis.call('GET', leader)
local is_mine = holder == name
if holder and not is_mine and string.find(holder, '~ah:', 1, true) then return {0, -1, {}} end
most = tonumber(most)
local now = now_in_ms()
local moved, filled, seconds = 0, {}, {}
local ids = redis.call('ZRANGEBYSCORE', scheduled, '-inf', now, 'LIMIT', 0, most)
for _, id in ipairs(ids) do
  local value = redis.call('HGET', scheduled_jobs, id)
  if value then
    local _, _, queue, raw = unmark(value)
    redis.call('RPUSH', root .. 'queue:' .. queue, raw)
    redis.call('HDEL', scheduled_jobs, id)
    filled[queue] = true
    moved = moved + 1
  end
  redis.call('ZREM', scheduled, id)
end
if is_mine then
  while moved < most and #seconds < most do
    local second = redis.call('ZRANGEBYSCORE', delayed_schedule, '-inf', now / 1000, 'LIMIT', 0, 1)[1]
    if not second then break end
    seconds[#seconds + 1] = second
    local list = 'delayed:' .. second
    local raws = redis.call('LRANGE', root .. list, 0, most - moved - 1)
    for _, raw in ipairs(raws) do
      local is_json, job = pcall(cjson.decode, raw)
      local queue = is_json and type(job) == 'table' and job.queue
      if type(queue) ~= 'string' or queue == '' then queue = fallback end
      redis.call('RPUSH', root .. 'queue:' .. queue, raw)
      filled[queue] = true
      moved = moved + 1
    end
    redis.call('LTRIM', root .. list, #raws, -1)
    for _, raw in ipairs(raws) do redis.call('SREM', root .. 'timestamps:' .. raw, list) end
    if redis.call('EXISTS', root .. list) == 0 then redis.call('ZREM', delayed_schedule, second) end
  end
end
local queues = {}
for queue in pairs(filled) do
  announce(root, queue)
  queues[#queues + 1] = queue
end
local wait = -1
local next_ours = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')[2]
if next_ours then wait = math.max(next_ours - now, 0) end
local next_second = is_mine and redis.call('ZRANGE', delayed_schedule, 0, 0, 'WITHSCORES')[2]
if next_second then
  local until_second = math.max(next_second * 1000 - now, 0)
  if wait < 0 or until_second < wait then wait = until_second end
end
return {moved, string.format('%.0f', wait), seconds, queues}`,
})
