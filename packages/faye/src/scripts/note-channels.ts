// Notes that a client has channels, or has them no more.
import { defineScript } from 'fastify-ah-kit/redis'
import { recordLua } from './record.ts'

/** `verb` is HSET or HDEL, the arguments behind it are the channels. Answers 1, or 0 if another process keeps the client. */
export const noteChannels = defineScript({
  name: 'note-channels',
  keys: ['record'],
  args: ['keeper', 'epoch', 'verb', '...'],
  lua: `${recordLua}
if not is_kept_by(record, keeper, epoch) then return 0 end
for index = 4, #ARGV do
  if verb == 'HSET' then
    redis.call('HSET', record, 'c:' .. ARGV[index], 1)
  else
    redis.call('HDEL', record, 'c:' .. ARGV[index])
  end
end
return 1`,
})
