// Takes a worker that is stuck off Resque's lists; its job goes to the failed list.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/** The last key is what it works on: gone meanwhile, it is left alone. Answers 1 if it was taken off. */
export const cleanWorker = defineGuardedScript({
  name: 'clean-worker',
  keys: ['workers', 'failed', 'failed_count', '...'],
  args: ['full_name', 'entry'],
  lua: /* lua */ `
if redis.call('EXISTS', KEYS[#KEYS]) == 0 then return 0 end
redis.call('RPUSH', failed, entry)
redis.call('INCR', failed_count)
redis.call('SREM', workers, full_name)
for index = 5, #KEYS do redis.call('DEL', KEYS[index]) end
return 1`,
})
