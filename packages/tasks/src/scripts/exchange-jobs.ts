// Settles the jobs that a processor has finished and claims its next ones: one round trip for both.
import { defineScript } from 'fastify-ah-kit/redis'
import { offerLua } from './offer-lua.ts'
import { outcomeLua, queueLua, slotLua } from './queue-lua.ts'

/** Arguments before the lists of queues, plain successes and other settles. */
const head = 14
/** Bytes of payloads after which an exchange takes no further ones: a reply is held in memory as a whole. */
const mostBytes = 8 * 1024 * 1024
/** Arguments of each settle that is not plain. */
const width = 10

/**
 * Arguments: `batch` numbers the exchanges of a process that settle something; a repeat of one is answered from the
 * claims' own record instead of being applied again. `seen` is the highest claim number that the process knows: claims above it are handed
 * out again, since their answer got lost. `suspects`: how many suspects it may take (0 or 1). `poke`: 1 if the process
 * would not hear of new jobs once this came up short. `refresh`: 1 to be told the queues, 2 to have the next idle processor look for new ones. `is_fresh`: 1 if its lease needs no look. `stance`:
 * 1 to offer itself for `offer_queues` if there is nothing for it now, 2 to take that back, else 0. Then the names of `queue_count` queues, the claim numbers of
 * `done_count` successes without ado, and settles of ten arguments each: kind, claim, tracked id, state, outcome, ms to
 * keep it, recurring task, its tick, and two more: of `f` (failed) the entry and the most entries; of `r` (retry) mark
 * and payload, and `<delay in ms> <id>`; of `c` (cancelled) the id. `s` is a success, `l` gives the job back.
 *
 * Answers the verdicts in the order of the settles (`1` settled, `0` belongs to another by now; a `+` stands for all
 * plain ones), the queues there are if `refresh` is 1, and the claims in runs: first number,
 * kind and deaths, queue, count, and so many payloads.
 */
export const exchangeJobs = defineScript({
  name: 'exchange-jobs',
  keys: ['claims', 'processors', 'processed_count', 'paused', 'returned', 'queues'],
  args: [
    'root',
    'boot',
    'lease_ms',
    'batch',
    'seen',
    'want',
    'suspects',
    'poke',
    'refresh',
    'is_fresh',
    'stance',
    'offer_queues',
    'queue_count',
    'done_count',
    '...',
  ],
  // What was done must be recorded, and what is claimed is not new: both also when memory is full.
  allowOom: true,
  lua: /* lua */ `${queueLua}${slotLua}${outcomeLua}${offerLua}
batch, seen, want, suspects = tonumber(batch), tonumber(seen), tonumber(want), tonumber(suspects)
queue_count, done_count = tonumber(queue_count), tonumber(done_count)
local record = redis.call('HMGET', claims, 'last', 'batch', 'moved')
local last = math.max(tonumber(record[1]) or 0, seen)
-- The record is older than what the process knows: it was taken for dead, or Redis failed over.
local is_behind = last > (tonumber(record[1]) or 0)
local first_done = ${head} + queue_count + 1
local first_other = first_done + done_count

local verdicts
if record[2] then
  local number, said = string.match(record[2], '^(%d+) (.*)$')
  number = tonumber(number)
  if number > batch then return redis.error_reply('AHSTALE a newer exchange was applied before this repeat') end
  if number == batch then verdicts = said end
end

local fields = {}
if not verdicts and #ARGV >= first_done then
  local said, processed = {''}, 0
  if done_count > 0 and not is_behind and not record[3] then
    -- Nobody has ever taken a claim from this process: all of them are there.
    processed = redis.call('HDEL', claims, unpack(ARGV, first_done, first_other - 1))
    said[1] = '+'
  else
    for index = first_done, first_other - 1 do
      local was = redis.call('HDEL', claims, ARGV[index])
      processed = processed + was
      said[#said + 1] = was
    end
  end
  for index = first_other, #ARGV, ${width} do
    local kind, claim, track, state, outcome, track_ms, task, tick, x, y = unpack(ARGV, index, index + ${width - 1})
    local value = redis.call('HGET', claims, claim)
    said[#said + 1] = value and 1 or 0
    if value then
      free_slot(root, boot, claim)
      if track ~= '' then note_track(root, track, state, outcome, track_ms) end
      if task ~= '' then close_tick(root, task, tick) end
      if kind == 's' then
        processed = processed + 1
      elseif kind == 'f' then
        record_failure(root, x, tonumber(y))
      elseif kind == 'r' then
        local delay, id = string.match(y, '^(%d+) (.*)$')
        -- Another job may have the same id: nothing is put over it.
        if redis.call('HEXISTS', root .. 'ah:scheduled-jobs', id) == 1 then id = id .. ' ' .. boot .. ':' .. claim end
        schedule(root, id, now_in_ms() + delay, x)
      elseif kind == 'l' then
        give_back(root, value)
      elseif kind == 'c' then
        redis.call('ZREM', root .. 'ah:cancelled', x)
      end
      redis.call('HDEL', claims, claim)
    end
  end
  if processed > 0 then redis.call('INCRBY', processed_count, processed) end
  verdicts = table.concat(said)
  fields = {'batch', batch .. ' ' .. verdicts}
end

-- Runs of claims with one mark and one queue: first number, mark, queue, count, and so many payloads.
local jobs, count_at = {}, 0
local run_mark, run_queue, run_next
local function hand_out(id, mark, queue, raw)
  if mark ~= run_mark or queue ~= run_queue or id ~= run_next then
    run_mark, run_queue = mark, queue
    jobs[#jobs + 1] = id
    jobs[#jobs + 1] = mark
    jobs[#jobs + 1] = queue
    jobs[#jobs + 1] = 0
    count_at = #jobs
  end
  jobs[count_at] = jobs[count_at] + 1
  jobs[#jobs + 1] = raw
  run_next = id + 1
end
if last > seen then
  for id = seen + 1, last do
    local value = redis.call('HGET', claims, id)
    if value then
      local kind, deaths, queue, raw = unmark(value)
      hand_out(id, kind .. deaths, queue, raw)
      want = want - 1
      -- The letter that told of it, if it still lies there: who finds one takes its job back.
      redis.call('LREM', root .. 'ah:mail:' .. boot, 1, 'job ' .. id .. ' ' .. value)
    end
  end
end

local is_paused = {}
local has_returned = false
if redis.call('EXISTS', paused, returned) > 0 then
  for _, queue in ipairs(redis.call('SMEMBERS', paused)) do is_paused[queue] = true end
  has_returned = redis.call('EXISTS', returned) == 1
end
local before = last
local took_suspect = false
local bytes = 0
-- What is taken leaves its list once the claim is written.
local left_out = {}
local function leave_out(list, count)
  if count > 0 then
    left_out[#left_out + 1] = list
    left_out[#left_out + 1] = count
  end
end
local function take(queue, value, kind, raw)
  last = last + 1
  fields[#fields + 1] = last
  fields[#fields + 1] = value
  hand_out(last, kind, queue, raw)
  want = want - 1
end
local function take_returned(queue)
  if redis.call('SISMEMBER', returned, queue) == 0 then return end
  local lists = {root .. 'ah:suspects:' .. queue, root .. 'ah:recovered:' .. queue}
  if suspects > 0 and want > 0 then
    local value = redis.call('LINDEX', lists[1], 0)
    if value then
      leave_out(lists[1], 1)
      local kind, deaths, _, raw = unmark(value)
      take(queue, value, kind .. deaths, raw)
      suspects = suspects - 1
      took_suspect = true
    end
  end
  if want > 0 then
    local values = redis.call('LRANGE', lists[2], 0, want - 1)
    leave_out(lists[2], #values)
    for _, value in ipairs(values) do
      local kind, deaths, _, raw = unmark(value)
      take(queue, value, kind .. deaths, raw)
    end
  end
end
if want > 0 then
  for index = ${head + 1}, ${head} + queue_count do
    local queue = ARGV[index]
    if not is_paused[queue] then
      if has_returned then take_returned(queue) end
      if want > 0 then
        local list = root .. 'queue:' .. queue
        local raws = redis.call('LRANGE', list, 0, want - 1)
        local mark = 'f0:' .. #queue .. ':' .. queue
        local count = #raws
        for position = 1, #raws do
          local raw = raws[position]
          take(queue, mark .. raw, 'f0', raw)
          bytes = bytes + #raw
          if bytes > ${mostBytes} then
            count = position
            break
          end
        end
        leave_out(list, count)
      end
    end
    if want <= 0 or bytes > ${mostBytes} then break end
  end
end
local offers = stance == '1' and want > 0 and #jobs == 0
local function note(field, value) fields[#fields + 1], fields[#fields + 2] = field, value end
if last > before or offers then note('last', last) end
if is_behind and (last > before or offers) then note('moved', 1) end
if offers then offer(root, boot, offer_queues) end
if stance == '2' or stance == '1' and not offers then withdraw(root, boot, offer_queues) end
if #fields > 0 then redis.call('HSET', claims, unpack(fields)) end
for index = 1, #left_out, 2 do redis.call('LTRIM', left_out[index], left_out[index + 1], -1) end
if has_returned then
  for index = ${head + 1}, ${head} + queue_count do
    local queue = ARGV[index]
    local lists = redis.call('EXISTS', root .. 'ah:suspects:' .. queue, root .. 'ah:recovered:' .. queue)
    if lists == 0 then redis.call('SREM', returned, queue) end
  end
end
if (#jobs > 0 or offers) and is_fresh ~= '1' then
  -- A process that holds jobs must have a lease, or nobody would ever take them from it.
  local lease, now = redis.call('ZSCORE', processors, boot), now_in_ms()
  if not lease or tonumber(lease) < now + lease_ms / 3 then redis.call('ZADD', processors, now + lease_ms, boot) end
end

if want <= 0 or took_suspect or bytes > ${mostBytes} then
  -- Jobs are left behind: somebody else may be idle.
  for index = ${head + 1}, ${head} + queue_count do
    local queue = ARGV[index]
    if not is_paused[queue] then
      if redis.call('EXISTS', root .. 'queue:' .. queue) == 1 then
        wake(root, queue)
      elseif has_returned and redis.call('SISMEMBER', returned, queue) == 1 then
        wake(root, queue)
      end
    end
  end
end
if want > 0 and poke == '1' then mail(root, boot, 'poke') end
if refresh == '2' and redis.call('EXISTS', root .. 'ah:wake-new') == 0 then
  redis.call('RPUSH', root .. 'ah:wake-new', '1')
end
return {verdicts or '', refresh == '1' and redis.call('SMEMBERS', queues) or false, unpack(jobs)}`,
})
