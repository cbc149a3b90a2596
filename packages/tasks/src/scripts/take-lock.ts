// Takes a lock for a job that runs, or keeps it.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * `mine` names the holder: `<second of its end> <boot id> <claim>`. A lock whose holder is off the list of processes is
 * free: its process has died or stopped. One that a program of Resque's holds is a bare number, and ends by itself.
 * Answers 1 if the lock is ours.
 */
export const takeLock = defineScript({
  name: 'take-lock',
  keys: ['lock', 'processors'],
  args: ['mine', 'ms'],
  lua: /* lua */ `
local holder = redis.call('GET', lock)
if holder and holder ~= mine then
  local boot = string.match(holder, '^%d+ (%S+) %d+$')
  if not boot or redis.call('ZSCORE', processors, boot) then return 0 end
end
redis.call('SET', lock, mine, 'PX', ms)
return 1`,
})
