// Lets a paused queue be worked again, and wakes who is idle.
import { defineScript } from 'fastify-ah-kit/redis'
import { queueLua } from './queue-lua.ts'

/** Answers 1 if it was paused. */
export const resumeQueue = defineScript({
  name: 'resume-queue',
  keys: ['paused'],
  args: ['root', 'queue'],
  lua: /* lua */ `${queueLua}
local was = redis.call('SREM', paused, queue)
wake(root, queue)
return was`,
})
