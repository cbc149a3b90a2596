// Asks for the right to produce a value, for one run in the whole cluster.
import { defineScript } from 'fastify-ah-kit/redis'

/**
 * `below` is empty for who has no value at all; else the remaining time in ms below which a value may be refreshed, by
 * Redis' clock: whoever's own is wrong does not refresh what is new. `seen` is the SHA-1 of bytes that were looked at and
 * found useless. `waited` is the run whose failure the caller wants to hear of; another's is over for it.
 *
 * The record under `produce` is `run <id> <SHA-1 of the value, or -> <its end in ms since 1970, or ->` for the time of a
 * lease, or `error <id> <JSON>`.
 * Answers `claimed`; `locked`; `fresh`; `found`, bytes, their SHA-1 and remaining time; `busy` and the run; `failed` and the
 * error. A repeat finds its own claim.
 */
export const claimProduce = defineScript({
  name: 'claim-produce',
  keys: ['value', 'lock', 'produce'],
  args: ['run', 'owner', 'lease', 'below', 'seen', 'waited'],
  lua: /* lua */ `
local found = redis.call('MGET', value, lock, produce)
local bytes, holder, record = found[1], found[2], found[3]
if holder and holder ~= owner then return {'locked'} end
local sha = bytes and redis.sha1hex(bytes) or '-'
local left = redis.call('PTTL', value)
if below == '' then
  if bytes and sha ~= seen then return {'found', bytes, sha, left} end
elseif bytes and (left < 0 or left > tonumber(below)) then
  return {'fresh'}
end
if record then
  local kind, id, rest = string.match(record, '^(%S+) (%S+) (.*)$')
  if kind == 'run' and id ~= run then return {'busy', id} end
  if kind == 'error' and (id == waited or below ~= '') then return {'failed', rest} end
end
local ends = '-'
if bytes and left >= 0 then
  local now = redis.call('TIME')
  ends = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) + left)
end
redis.call('SET', produce, 'run ' .. run .. ' ' .. sha .. ' ' .. ends, 'PX', lease)
return {'claimed'}`,
})
