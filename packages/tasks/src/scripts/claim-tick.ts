// Claims a tick of a recurring task and enqueues its job, once in the cluster.
import { defineScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/**
 * `expected` is the tick as it was read (or '' for none), `next` the one after it: who comes second finds it changed, and
 * a repeat too. The job of an earlier tick that is neither finished nor too old keeps this one from being enqueued.
 * `payload` is '' to plan the tick without a job; `by_hand` is 1 for who need not lead. Answers 1 if the tick was claimed and its job enqueued, 2 if it was
 * claimed and an earlier job is still under way, 0 if another claimed it or leads.
 */
export const claimTick = defineScript({
  name: 'claim-tick',
  keys: ['leader', 'ticks', 'open_ticks'],
  args: ['root', 'name', 'task', 'expected', 'next', 'tick', 'queue', 'payload', 'open_ms', 'by_hand'],
  lua: /* lua */ `${queueLua}
local holder = redis.call('GET', leader)
if by_hand ~= '1' and holder and holder ~= name and string.find(holder, '~ah:', 1, true) then return 0 end
if (redis.call('HGET', ticks, task) or '') ~= expected then return 0 end
local now = now_in_ms()
local open = redis.call('HGET', open_ticks, task)
local is_open = open and now < tonumber(string.match(open, ' (%d+)$'))
local has_job = payload ~= '' and not is_open
if has_job then
  redis.call('RPUSH', root .. 'queue:' .. queue, payload)
  redis.call('HSET', open_ticks, task, tick .. ' ' .. string.format('%.0f', now + open_ms))
end
redis.call('HSET', ticks, task, next)
if not has_job then return 2 end
announce(root, queue)
return 1`,
})
