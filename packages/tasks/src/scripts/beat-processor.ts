// A process's sign of life: renews its lease and registration, and answers which claims it still has.
import { defineScript, sharedBeatLua } from 'fastify-ah-kit/redis'

/**
 * `working` is what stands under `worker:<name>` (JSON, or '' for nothing); behind the named arguments come task, tick
 * and end in ms of each recurring job that runs here, so that its next tick goes on waiting for it.
 */
export const beatProcessor = defineScript({
  name: 'beat-processor',
  keys: ['beat_key', 'processors', 'registrations', 'workers', 'worker', 'claims', 'open_ticks'],
  args: ['boot', 'lease_ms', 'full_name', 'working', '...'],
  // Were it refused when memory is full, every process would count as dead.
  allowOom: true,
  lua: /* lua */ `${sharedBeatLua}
lease_ms = tonumber(lease_ms)
local now = beat(beat_key, lease_ms)
redis.call('ZADD', processors, now + lease_ms, boot)
redis.call('HSET', registrations, boot, full_name)
redis.call('SADD', workers, full_name)
if working == '' then
  redis.call('DEL', worker)
else
  redis.call('SET', worker, working, 'PX', lease_ms * 4)
end
for index = 5, #ARGV, 3 do
  local task, tick = ARGV[index], ARGV[index + 1]
  local open = redis.call('HGET', open_ticks, task)
  if open and string.match(open, '^%d+') == tick then
    redis.call('HSET', open_ticks, task, tick .. ' ' .. string.format('%.0f', now + ARGV[index + 2]))
  end
end
return redis.call('HKEYS', claims)`,
})
