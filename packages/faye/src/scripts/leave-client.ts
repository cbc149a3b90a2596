// Leaves a client without a keeper, with what waits for it.
import { defineScript } from 'fastify-ah-kit/redis'
import { recordLua } from './record.ts'

/** `left` is JSON. Whoever keeps it next finds it there. */
export const leaveClient = defineScript({
  name: 'leave-client',
  keys: ['record'],
  args: ['keeper', 'epoch', 'left', 'ttl'],
  lua: `${recordLua}
if not is_kept_by(record, keeper, epoch) then return 0 end
redis.call('HSET', record, 'keeper', '', 'left', left)
redis.call('PEXPIRE', record, ttl)
return 1`,
})
