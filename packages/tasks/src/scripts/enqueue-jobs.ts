// Puts jobs where they wait: into their queues, to a second, to a millisecond.
import { defineGuardedScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/**
 * The arguments are orders, one behind the other, each with its own:
 * `q` queue, count and so many payloads: to the end of the queue.
 * `x` queue, payload, 1 for the head of the queue, then what the extras are.
 * `d` queue, payload, `at <ms>` or `in <ms>`: into Resque's list of that second, unless it stands there already.
 * `s` queue, payload, `at <ms>` or `in <ms>`, then what the extras are: to the millisecond.
 * Extras: id, ms to keep a track or 0, dedupe key or '', its ms, QueueLock's key or '', its ms.
 *
 * Answers how many tokens woke somebody, and one for each order: 1 for done; 0 where that second has the job already; the id of an earlier job that has the
 * dedupe key, or that is scheduled under the same id; -1 where an earlier job has the lock.
 */
export const enqueueJobs = defineGuardedScript({
  name: 'enqueue-jobs',
  keys: ['delayed_schedule', 'scheduled_jobs'],
  args: ['root', '...'],
  lua: /* lua */ `${queueLua}
local at = 3
local function pull()
  at = at + 1
  return ARGV[at - 1]
end
local function due(text)
  local kind, ms = string.match(text, '^(%a+) (%d+)$')
  return kind == 'at' and tonumber(ms) or now_in_ms() + ms
end
-- As QueueLock reads it: the number at the beginning is the second of its end.
local function is_locked(lock)
  if lock == '' then return false end
  local holder = redis.call('GET', root .. lock)
  return holder and now_in_ms() <= (tonumber(string.match(holder, '^%d+')) or 0) * 1000
end
-- Puts a job unless an earlier one has its dedupe key or its lock: both are only taken by a job that is there.
local function put_once(put, id, track_ms, dedupe, dedupe_ms, lock, lock_ms)
  if is_locked(lock) then return -1 end
  local key = root .. 'ah:dedupe:' .. dedupe
  local earlier = dedupe ~= '' and redis.call('GET', key)
  if earlier then return earlier end
  put(id)
  if dedupe ~= '' then redis.call('SET', key, id, 'PX', dedupe_ms) end
  if lock ~= '' then
    local stop = string.format('%.0f', math.floor((now_in_ms() + lock_ms) / 1000) + 1)
    redis.call('SET', root .. lock, stop .. ' ' .. id, 'PX', lock_ms)
  end
  if track_ms ~= '0' then
    local track = root .. 'ah:track:' .. id
    -- Whatever an earlier job of that id left.
    redis.call('DEL', track)
    redis.call('HSET', track, 'state', 'waiting')
    redis.call('PEXPIRE', track, track_ms)
  end
  return 1
end
local answers = {}
while at <= #ARGV do
  local order, queue = pull(), pull()
  local answer = 1
  if order == 'q' then
    local count = tonumber(pull())
    redis.call('RPUSH', root .. 'queue:' .. queue, unpack(ARGV, at, at + count - 1))
    at = at + count
    announce(root, queue)
  elseif order == 'x' then
    local raw, front = pull(), pull()
    local function put()
      redis.call(front == '1' and 'LPUSH' or 'RPUSH', root .. 'queue:' .. queue, raw)
      announce(root, queue)
    end
    answer = put_once(put, pull(), pull(), pull(), pull(), pull(), pull())
  elseif order == 'd' then
    local raw, time = pull(), due(pull())
    local second = string.format('%.0f', math.floor(time / 1000 + 0.5))
    local list = 'delayed:' .. second
    if redis.call('SISMEMBER', root .. 'timestamps:' .. raw, list) == 1 then
      answer = 0
    else
      redis.call('ZADD', delayed_schedule, second, second)
      redis.call('RPUSH', root .. list, raw)
      redis.call('SADD', root .. 'timestamps:' .. raw, list)
      if redis.call('ZRANGE', delayed_schedule, 0, 0)[1] == second then wake_leader(root) end
    end
  else
    local raw, time, id = pull(), due(pull()), pull()
    if redis.call('HEXISTS', scheduled_jobs, id) == 1 then
      answer = id
      at = at + 5
    else
      local function put(own) schedule(root, own, time, 'f0:' .. #queue .. ':' .. queue .. raw) end
      answer = put_once(put, id, pull(), pull(), pull(), pull(), pull())
    end
  end
  answers[#answers + 1] = answer
end
return {woken, answers}`,
})
