// Takes an entry off the failed list and puts its job back into its queue.
import { defineGuardedScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/** Answers 1, or 0 if the entry is not there. */
export const retryFailed = defineGuardedScript({
  name: 'retry-failed',
  keys: ['failed'],
  args: ['root', 'entry', 'queue', 'payload'],
  lua: /* lua */ `${queueLua}
if not redis.call('LPOS', failed, entry) then return 0 end
redis.call('RPUSH', root .. 'queue:' .. queue, payload)
redis.call('LREM', failed, 1, entry)
announce(root, queue)
return 1`,
})
