// Wakes those whose wake-up was swallowed, and takes back what was handed to a process that does not listen.
import { defineScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/**
 * The names of `queue_count` queues that were filled a moment ago, then the boot ids of processes that jobs were handed
 * to. A queue that has jobs and no token lost it to a connection that was dying, or is just being looked into: another
 * token harms neither. A letter that still lies there has no reader: its job goes back to the head of its queue.
 * Answers how much there was to do: then it is worth another look.
 */
export const lookAgain = defineScript({
  name: 'look-again',
  keys: ['paused'],
  args: ['root', 'queue_count', '...'],
  lua: /* lua */ `${queueLua}
local last_queue = 2 + queue_count
for index = 3, last_queue do
  local queue = ARGV[index]
  if redis.call('EXISTS', root .. 'queue:' .. queue) == 1 and redis.call('SISMEMBER', paused, queue) == 0 then
    wake(root, queue)
  end
end
local done = woken
for index = last_queue + 1, #ARGV do
  local boot = ARGV[index]
  local claims, letters = root .. 'ah:claims:' .. boot, root .. 'ah:mail:' .. boot
  for _, letter in ipairs(redis.call('LRANGE', letters, 0, -1)) do
    local claim = string.match(letter, '^job (%d+) ')
    if claim then
      local value = redis.call('HGET', claims, claim)
      if value then give_back(root, value) end
      redis.call('HDEL', claims, claim)
      redis.call('LREM', letters, 1, letter)
      done = done + 1
    end
  end
end
return done`,
})
