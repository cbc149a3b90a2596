// Takes a process off all lists, once nothing is claimed by it.
import { defineScript } from 'fastify-ah-kit/redis'
import { offerLua } from './offer-lua.ts'

/** Answers 1, or 0 while it still has claims: then its lease has to end first. */
export const leaveProcessors = defineScript({
  name: 'leave-processors',
  keys: ['processors', 'registrations', 'workers', 'worker', 'claims', 'holds', 'mail'],
  args: ['root', 'boot', 'full_name', 'queues'],
  allowOom: true,
  lua: /* lua */ `${offerLua}
withdraw(root, boot, queues)
redis.call('SREM', workers, full_name)
redis.call('DEL', worker, mail)
redis.call('HDEL', registrations, boot)
for _, field in ipairs(redis.call('HKEYS', claims)) do
  if tonumber(field) then return 0 end
end
redis.call('ZREM', processors, boot)
redis.call('DEL', claims, holds)
return 1`,
})
