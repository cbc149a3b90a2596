// Tells those who wait for a value why there is none.
import { defineScript } from 'fastify-ah-kit/redis'

/** How long the error is there for those who waited, in ms: longer than their pauses. */
const errorMs = 1000

/** Answers 1, or 0 if the right to produce is not this run's any more. */
export const failProduce = defineScript({
  name: 'fail-produce',
  keys: ['produce'],
  args: ['run', 'error'],
  allowOom: true,
  lua: /* lua */ `
if string.match(redis.call('GET', produce) or '', '^run (%S+) ') ~= run then return 0 end
redis.call('SET', produce, 'error ' .. run .. ' ' .. error, 'PX', ${errorMs})
return 1`,
})
