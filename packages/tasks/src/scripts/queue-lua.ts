// Owns the Lua that scripts share: how a queue is filled and its idle processors woken, and how a mark is read.
//
// A script that Redis stops half way (a right that is missing, a full memory) keeps what it did. So each puts a job where
// it goes before it takes it from where it was: a job may then be in two places, which is settled like a repeat, never in none.

/**
 * A mark stands before the payload wherever a job lies in a key of ours: `<kind><deaths>:<bytes of the queue's name>:
 * <queue><payload>`. Kinds: `f` fresh, `r` of a dead process but not to blame, `s` suspect. The payload behind it is
 * never looked into.
 *
 * A wake list holds one token at most: the idle processor that takes it looks into the queue, and passes a token on if it
 * leaves jobs behind. `woken` counts the tokens that a script put: who put one looks again soon, since Redis may have
 * handed it to a connection that was dying.
 */
export const queueLua = `
local function unmark(value)
  local kind, deaths, length, at = string.match(value, '^(%a)(%d+):(%d+):()')
  local stop = at + tonumber(length)
  return kind, tonumber(deaths), string.sub(value, at, stop - 1), string.sub(value, stop)
end
local woken = 0
local function put_token(list)
  if redis.call('EXISTS', list) == 1 then return end
  redis.call('RPUSH', list, '1')
  woken = woken + 1
end
local function wake(root, queue) put_token(root .. 'ah:wake:' .. queue) end
local function register(root, queue)
  if redis.call('SADD', root .. 'queues', queue) == 1 then put_token(root .. 'ah:wake-new') end
end
local function announce(root, queue)
  register(root, queue)
  wake(root, queue)
end
local function give_back(root, value)
  local kind, _, queue, raw = unmark(value)
  if kind == 'f' then
    redis.call('LPUSH', root .. 'queue:' .. queue, raw)
  else
    redis.call('SADD', root .. 'ah:returned', queue)
    redis.call('LPUSH', root .. (kind == 's' and 'ah:suspects:' or 'ah:recovered:') .. queue, value)
  end
  announce(root, queue)
end
local function mail(root, boot, text)
  local list = root .. 'ah:mail:' .. boot
  redis.call('RPUSH', list, text)
  redis.call('PEXPIRE', list, 60000)
end
local function now_in_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function wake_leader(root)
  local leader = redis.call('GET', root .. 'resque_scheduler_leader_lock')
  local boot = leader and string.match(leader, '~ah:%d+%-(.+)$')
  if boot then mail(root, boot, 'promote') end
end
local function schedule(root, id, at, value)
  redis.call('ZADD', root .. 'ah:scheduled', at, id)
  redis.call('HSET', root .. 'ah:scheduled-jobs', id, value)
  if redis.call('ZRANGE', root .. 'ah:scheduled', 0, 0)[1] == id then wake_leader(root) end
end
`

/** Frees the concurrency slot of a claim, and brings back the first job that waits for it. Needs {@link queueLua}. */
export const slotLua = `
local function unpark(root, slot)
  local list, limits = root .. 'ah:parked:' .. slot, root .. 'ah:limits'
  local parked = redis.call('LINDEX', list, 0)
  if not parked then return redis.call('HDEL', limits, slot) end
  give_back(root, parked)
  redis.call('LPOP', list)
  local _, _, queue = unmark(parked)
  local counts = root .. 'ah:parked-counts'
  if redis.call('HINCRBY', counts, queue, -1) <= 0 then redis.call('HDEL', counts, queue) end
  local most = string.match(redis.call('HGET', limits, slot) or '', '^%d+')
  if most then redis.call('HSET', limits, slot, most .. ' ' .. string.format('%.0f', now_in_ms())) end
end
local function free_slot(root, boot, claim)
  local holds = root .. 'ah:holds:' .. boot
  local slot = redis.call('HGET', holds, claim)
  if not slot then return end
  redis.call('SREM', root .. 'ah:slots:' .. slot, boot .. ':' .. claim)
  unpark(root, slot)
  redis.call('HDEL', holds, claim)
end
`

/** What the end of a job means beside its claim. Needs {@link queueLua}. */
export const outcomeLua = `
local function note_track(root, id, state, outcome, ms)
  local key = root .. 'ah:track:' .. id
  redis.call('HSET', key, 'state', state, 'outcome', outcome)
  redis.call('PEXPIRE', key, ms)
end
local function close_tick(root, task, tick)
  local key = root .. 'ah:open-ticks'
  local open = redis.call('HGET', key, task)
  if open and string.match(open, '^%d+') == tick then redis.call('HDEL', key, task) end
end
local function record_failure(root, entry, max)
  redis.call('RPUSH', root .. 'failed', entry)
  redis.call('INCR', root .. 'stat:failed')
  if max > 0 then redis.call('LTRIM', root .. 'failed', -max, -1) end
end
`
