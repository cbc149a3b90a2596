// Brings back parked jobs whose slot nobody frees any more.
import { defineScript } from 'fastify-ah-kit/redis'
import { queueLua, slotLua } from './queue-lua.ts'

/**
 * Each job that ends brings back the next one of its concurrency key. One that was brought back and then vanished, since
 * its queue was removed say, calls nobody: so of each key that has free slots, and of which nothing came or went for
 * `still_ms`, one job is brought back. The arguments are the keys. Answers how many were.
 */
export const unparkJobs = defineScript({
  name: 'unpark-jobs',
  keys: ['limits'],
  args: ['root', 'still_ms', '...'],
  lua: /* lua */ `${queueLua}${slotLua}
local now, moved = now_in_ms(), 0
for index = 3, #ARGV do
  local slot = ARGV[index]
  local most, last = string.match(redis.call('HGET', limits, slot) or '', '^(%d+) (%d+)$')
  if most and now - last >= tonumber(still_ms) and redis.call('SCARD', root .. 'ah:slots:' .. slot) < tonumber(most) then
    unpark(root, slot)
    moved = moved + 1
  end
end
return moved`,
})
