// Makes another process the keeper of a client.
import { defineScript } from 'fastify-ah-kit/redis'
import { recordLua } from './record.ts'

/**
 * `epoch` is the one that was read before; the new keeper's is one more. Answers what the last keeper left behind ('' for
 * nothing) if it is this process by now, else nil: another was quicker, or the client is gone. A repeat answers the same.
 */
export const claimClient = defineScript({
  name: 'claim-client',
  keys: ['record'],
  args: ['keeper', 'epoch', 'ttl'],
  lua: `${recordLua}
local next_epoch = string.format('%.0f', tonumber(epoch) + 1)
if not is_kept_by(record, keeper, next_epoch) then
  if redis.call('HGET', record, 'epoch') ~= epoch then return false end
  redis.call('HSET', record, 'keeper', keeper, 'epoch', next_epoch)
end
redis.call('PEXPIRE', record, ttl)
return redis.call('HGET', record, 'left') or ''`,
})
