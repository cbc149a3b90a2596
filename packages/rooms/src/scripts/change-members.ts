// Lets members in and out of a room, and says what was missed: one process's wishes, in their order.
import { defineScript } from 'fastify-ah-kit/redis'
import { resumeLua } from './resume.ts'

/**
 * Behind the named argument come five for each wish: what, id of the connection, its details, epoch and id of the last
 * message that it has heard.
 *
 * - `join`: a member from now on, with these details
 * - `keep`: a member, with the details that are there, else with these; only if the room has that epoch
 * - `renew`: a member with these details, likewise
 * - `leave`: no member, whether there is a room or not
 * - `look`: what came since, for nobody
 *
 * Answers the epoch ('' without a room), the id of the last message, and for each wish 1 (done, and what was missed is
 * known), 0 (done; that is not known, or was not asked), 2 more for who was no member before, or -1 (there is no room), with
 * what was missed. Twice is harmless.
 */
export const changeMembers = defineScript({
  name: 'change-members',
  keys: ['meta', 'members', 'history'],
  args: ['most_bytes', '...'],
  allowOom: true,
  lua: `${resumeLua}
local held = redis.call('HMGET', meta, 'epoch', 'last')
local epoch = held[1] or ''
local answers = {}
for at = 2, #ARGV, 5 do
  local wish, id, details, last_epoch, last_id = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local code, missed = 0, {}
  if wish == 'leave' then
    redis.call('HDEL', members, id)
  elseif epoch == '' then
    code = -1
  else
    local is_new = false
    if wish == 'join' or (wish == 'renew' and last_epoch == epoch) then
      is_new = redis.call('HSET', members, id, details) == 1
    elseif wish == 'keep' and last_epoch == epoch then
      is_new = redis.call('HSETNX', members, id, details) == 1
    end
    if last_id ~= '' then
      local found = missed_since(meta, history, last_epoch, last_id, tonumber(most_bytes))
      if found then code, missed = 1, found end
    end
    if is_new then code = code + 2 end
  end
  answers[#answers + 1] = code
  answers[#answers + 1] = missed
end
return {epoch, held[2] or '', answers}`,
})
