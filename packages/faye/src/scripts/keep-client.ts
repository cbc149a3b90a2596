// Makes or renews a client's record.
import { defineScript } from 'fastify-ah-kit/redis'
import { recordLua } from './record.ts'

/**
 * The arguments behind the named ones are the channels of the client. A record that is gone is made again: its keeper lives,
 * and only Redis was away for longer than the record lasts. What the last keeper left is here by now. Answers 1, or 0 if another process keeps the client.
 */
export const keepClient = defineScript({
  name: 'keep-client',
  keys: ['record'],
  args: ['keeper', 'epoch', 'ttl', '...'],
  lua: `${recordLua}
if redis.call('EXISTS', record) == 1 then
  if not is_kept_by(record, keeper, epoch) then return 0 end
  redis.call('HDEL', record, 'left')
else
  redis.call('HSET', record, 'keeper', keeper, 'epoch', epoch)
  for index = 4, #ARGV do redis.call('HSET', record, 'c:' .. ARGV[index], 1) end
end
redis.call('PEXPIRE', record, ttl)
return 1`,
})
