// Has the right to produce a value live on.
import { defineScript } from 'fastify-ah-kit/redis'

/** Answers 1, or 0 if it is another's by now, or nobody's. */
export const renewProduce = defineScript({
  name: 'renew-produce',
  keys: ['produce'],
  args: ['run', 'lease'],
  lua: /* lua */ `
if string.match(redis.call('GET', produce) or '', '^run (%S+) ') ~= run then return 0 end
return redis.call('PEXPIRE', produce, lease)`,
})
