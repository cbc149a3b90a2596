// Finds processes whose lease has ended, and what they had claimed.
import { defineScript, sharedBeatLua } from 'fastify-ah-kit/redis'

/**
 * `boot` is '' for any process whose lease has ended, or one that is known to be dead. Answers its boot id and up to 500
 * of its claims: number and marked payload in turns; nothing if there is none.
 */
export const readEnded = defineScript({
  name: 'read-ended',
  keys: ['beat_key', 'processors'],
  args: ['root', 'lease_ms', 'boot'],
  writes: false,
  lua: /* lua */ `${sharedBeatLua}
if boot == '' then
  if not may_expire(beat_key, tonumber(lease_ms)) then return {} end
  boot = redis.call('ZRANGEBYSCORE', processors, '-inf', now_ms(), 'LIMIT', 0, 1)[1]
  if not boot then return {} end
end
local answer = {boot}
local fields = redis.call('HGETALL', root .. 'ah:claims:' .. boot)
for index = 1, #fields, 2 do
  if #answer > 1000 then break end
  if tonumber(fields[index]) then
    answer[#answer + 1] = fields[index]
    answer[#answer + 1] = fields[index + 1]
  end
end
return answer`,
})
