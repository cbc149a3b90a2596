// Notes of a tracked job that it runs, or how far it is.
import { defineScript } from 'fastify-ah-kit/redis'

/** Once it is finished nothing changes any more. Pairs of field and value; answers 1 if they were noted. */
export const noteTrack = defineScript({
  name: 'note-track',
  keys: ['track'],
  args: ['ms', '...'],
  lua: /* lua */ `
local state = redis.call('HGET', track, 'state')
if state and state ~= 'waiting' and state ~= 'running' then return 0 end
redis.call('HSET', track, unpack(ARGV, 2))
redis.call('PEXPIRE', track, ms)
return 1`,
})
