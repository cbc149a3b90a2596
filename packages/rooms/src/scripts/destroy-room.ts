// Takes a room away, and tells every node that has members in it.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * Only the one with this epoch: a repeat does not take away what was made since. A fifth key, where it lies in the same slot,
 * is the index.
 */
export const destroyRoom = defineScript({
  name: 'destroy-room',
  keys: ['meta', 'members', 'history', 'channel', '...'],
  args: ['epoch', 'room', 'publish_command'],
  allowOom: true,
  lua: `if redis.call('HGET', meta, 'epoch') ~= epoch then return 0 end
redis.call('DEL', meta, members, history)
if KEYS[5] then redis.call('SREM', KEYS[5], room) end
redis.call(publish_command, channel, 'ah1 gone ' .. epoch)
return 1`,
})
