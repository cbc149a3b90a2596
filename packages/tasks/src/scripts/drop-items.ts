// Removes items of a list that are these bytes, once however often the call arrives.
import { defineGuardedScript } from 'fastify-ah-kit/redis'

/** `count` as in `LREM`. Answers how many there were. */
export const dropItems = defineGuardedScript({
  name: 'drop-items',
  keys: ['list'],
  args: ['count', 'item'],
  allowOom: true,
  lua: /* lua */ `return redis.call('LREM', list, count, item)`,
})
