// Gives the lock of the one who schedules back, if it is ours.
import { defineScript } from 'fastify-ah-kit/redis'

/** Answers 1 if it was ours. */
export const stopLeading = defineScript({
  name: 'stop-leading',
  keys: ['leader'],
  args: ['name'],
  lua: /* lua */ `
if redis.call('GET', leader) ~= name then return 0 end
return redis.call('DEL', leader)`,
})
