// Removes a queue with all that waits in it, in one step: a job that comes at the same time goes with it, or makes it anew.
import { defineScript } from 'fastify-ah-kit/redis'

/** The keys from the third on are what there is of it. */
export const dropQueue = defineScript({
  name: 'drop-queue',
  keys: ['queues', 'returned', '...'],
  args: ['queue'],
  allowOom: true,
  lua: /* lua */ `
redis.call('UNLINK', unpack(KEYS, 3))
redis.call('SREM', returned, queue)
redis.call('SREM', queues, queue)`,
})
