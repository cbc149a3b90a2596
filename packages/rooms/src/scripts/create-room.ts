// Makes a room.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * A fourth key, where it lies in the same slot, is the index. Answers 1 if the room is that of this call, 0 if there was one.
 * A repeat answers the same, for as long as the room is there.
 */
export const createRoom = defineScript({
  name: 'create-room',
  keys: ['meta', '...'],
  args: ['epoch', 'room'],
  lua: `if redis.call('HSETNX', meta, 'epoch', epoch) == 1 then redis.call('HSET', meta, 'last', '0-0') end
if KEYS[2] then redis.call('SADD', KEYS[2], room) end
return redis.call('HGET', meta, 'epoch') == epoch and 1 or 0`,
})
