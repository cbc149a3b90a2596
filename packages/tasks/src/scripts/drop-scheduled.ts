// Removes jobs that are scheduled to the millisecond, by their ids.
import { defineScript } from 'fastify-ah-kit/redis'

/** Answers how many there were. */
export const dropScheduled = defineScript({
  name: 'drop-scheduled',
  keys: ['scheduled', 'scheduled_jobs'],
  args: ['...'],
  allowOom: true,
  lua: /* lua */ `
redis.call('HDEL', scheduled_jobs, unpack(ARGV))
return redis.call('ZREM', scheduled, unpack(ARGV))`,
})
