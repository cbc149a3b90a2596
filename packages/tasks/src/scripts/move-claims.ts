// Takes claims from a dead process, exactly the bytes that were read, and gives each its next place.
import { defineScript, sharedBeatLua } from 'fastify-ah-kit/redis'
import { offerLua } from './offer-lua.ts'
import { outcomeLua, queueLua, slotLua } from './queue-lua.ts'

/** How many arguments a claim has here. */
const width = 9

/**
 * `is_known_dead` is 1 if the lease is not to be waited for. Each claim: its number, the bytes that were read, the bytes to put in
 * their place, or '' and the entry of the failed list with its limit, tracked id, outcome, ms to keep it, `<task> <tick>`. A claim that changed meanwhile
 * stays. Answers how many are left; at 0 the process is off all lists. A repeat finds nothing to do.
 */
export const moveClaims = defineScript({
  name: 'move-claims',
  keys: ['beat_key', 'processors', 'registrations', 'workers'],
  args: ['root', 'lease_ms', 'boot', 'is_known_dead', '...'],
  allowOom: true,
  lua: /* lua */ `${sharedBeatLua}${queueLua}${slotLua}${outcomeLua}${offerLua}
local claims = root .. 'ah:claims:' .. boot
if is_known_dead ~= '1' then
  local lease = redis.call('ZSCORE', processors, boot)
  if lease and (tonumber(lease) > now_ms() or not may_expire(beat_key, tonumber(lease_ms))) then return -1 end
end
local full_name = redis.call('HGET', registrations, boot)
if full_name then
  local _, stop = string.find(full_name, boot .. ':', 1, true)
  if stop then withdraw(root, boot, string.sub(full_name, stop + 1)) end
end
for index = 5, #ARGV, ${width} do
  local claim, read, put, entry, max, track, outcome, track_ms, tick = unpack(ARGV, index, index + ${width - 1})
  if redis.call('HGET', claims, claim) == read then
    redis.call('HSET', claims, 'moved', '1')
    free_slot(root, boot, claim)
    if put ~= '' then
      give_back(root, put)
    else
      record_failure(root, entry, tonumber(max))
      if track ~= '' then note_track(root, track, 'failed', outcome, track_ms) end
      if tick ~= '' then
        local number, task = string.match(tick, '^(%d+) (.*)$')
        close_tick(root, task, number)
      end
    end
    redis.call('HDEL', claims, claim)
  end
end
local left = 0
for _, field in ipairs(redis.call('HKEYS', claims)) do
  if tonumber(field) then left = left + 1 end
end
if left == 0 then
  if full_name then
    redis.call('SREM', workers, full_name)
    redis.call('DEL', root .. 'worker:' .. full_name)
    redis.call('HDEL', registrations, boot)
  end
  redis.call('ZREM', processors, boot)
  redis.call('DEL', claims, root .. 'ah:holds:' .. boot, root .. 'ah:mail:' .. boot)
end
return left`,
})
