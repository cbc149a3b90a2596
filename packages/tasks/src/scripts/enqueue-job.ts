// Hands one job to a processor that has nothing to do, or puts it into its queue.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/**
 * A job that nothing has to go before is claimed for a processor that offered itself (`offerLua` says how), and sent by mail:
 * one way instead of three. The claim is written here and now, so the job is neither lost nor doubled if that processor
 * dies; the letter is only how it hears of it.
 *
 * What a lone job on an idle machine waits for is this script: so few calls, no functions, and numbers as texts (each
 * costs Redis some µs when it has just woken up). `enqueueJobs` does what is not done here.
 *
 * `id` and `track_ms` are of a tracked job, else '' and 0. Answers how many tokens woke somebody and the boot id of who
 * was handed the job, with a space between.
 */
export const enqueueJob = defineGuardedScript({
  name: 'enqueue-job',
  keys: ['list', 'returned', 'paused', 'all_idle', 'idle', 'queues', 'wake_new', 'wake', 'track'],
  args: ['root', 'queue', 'payload', 'is_front', 'track_ms'],
  lua: /* lua */ `
local handed = ''
if redis.call('EXISTS', list, returned, paused) == 0 then
  local from = all_idle
  -- Looked at, and taken when the claim is written: the first thing that is written is refused where memory is full.
  local offer = redis.call('LINDEX', from, 0)
  if not offer then
    from = idle
    offer = redis.call('LINDEX', from, 0)
  end
  while offer do
    local space = string.find(offer, ' ', 1, true)
    local boot = string.sub(offer, 1, space - 1)
    local claims = root .. 'ah:claims:' .. boot
    local last = redis.call('HGET', claims, 'last')
    if last then
      local offered = string.sub(offer, space + 1)
      if offered ~= '*' then
        -- Its processor takes jobs of the queues before this one first.
        local earlier = 0
        for name in string.gmatch(offered, '[^,]+') do
          if name == queue or name == '*' then break end
          earlier = earlier + redis.call('EXISTS', root .. 'queue:' .. name)
        end
        if earlier > 0 then break end
      end
      local claim = string.format('%d', last + 1)
      local value = 'f0:' .. #queue .. ':' .. queue .. payload
      redis.call('HSET', claims, claim, value, 'last', claim)
      redis.call('RPUSH', root .. 'ah:mail:' .. boot, 'job ' .. claim .. ' ' .. value)
      if offered == '*' then
        redis.call('LPOP', from)
      else
        for name in string.gmatch(offered, '[^,]+') do redis.call('LREM', root .. 'ah:idle:' .. name, '0', offer) end
      end
      handed = boot
      break
    end
    -- Without a record it is gone.
    redis.call('LPOP', from)
    offer = redis.call('LINDEX', from, 0)
  end
end
if track_ms ~= '0' then
  -- Whatever an earlier job of that id left.
  redis.call('DEL', track)
  redis.call('HSET', track, 'state', 'waiting')
  redis.call('PEXPIRE', track, track_ms)
end
local woken = 0
if handed == '' then redis.call(is_front == '1' and 'LPUSH' or 'RPUSH', list, payload) end
if redis.call('SADD', queues, queue) == 1 and redis.call('EXISTS', wake_new) == 0 then
  redis.call('RPUSH', wake_new, '1')
  woken = 1
end
if handed == '' and redis.call('EXISTS', wake) == 0 then
  redis.call('RPUSH', wake, '1')
  woken = 1
end
return woken .. ' ' .. handed`,
})
