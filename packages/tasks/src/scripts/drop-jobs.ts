// Removes payloads from a queue, exactly those that were read.
import { defineScript } from 'fastify-ah-kit/redis'

/** Each payload once for each time that it is named, the last ones first. Answers how many there were. */
export const dropJobs = defineScript({
  name: 'drop-jobs',
  keys: ['queue'],
  args: ['...'],
  allowOom: true,
  lua: /* lua */ `
local removed = 0
for _, payload in ipairs(ARGV) do removed = removed + redis.call('LREM', queue, -1, payload) end
return removed`,
})
