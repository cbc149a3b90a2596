// Forgets a client.
import { defineScript } from 'fastify-ah-kit/redis'
import { recordLua } from './record.ts'

/** Only if this process keeps it. */
export const dropClient = defineScript({
  name: 'drop-client',
  keys: ['record'],
  args: ['keeper', 'epoch'],
  allowOom: true,
  lua: `${recordLua}
if is_kept_by(record, keeper, epoch) then redis.call('DEL', record) end
return 1`,
})
