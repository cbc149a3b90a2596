// Owns the Lua that reads the list of nodes: for the scripts that answer it.
import { sharedBeatLua } from 'fastify-ah-kit/redis'

/**
 * `live_nodes(list, leases, may_end, now)`: the records of the nodes whose lease has not ended; all of them while no lease
 * may end.
 */
export const nodeRecordsLua = `${sharedBeatLua}
local function live_nodes(list, leases, may_end, now)
  local records = {}
  local known = redis.call('HGETALL', list)
  for index = 1, #known, 2 do
    local ends = redis.call('ZSCORE', leases, known[index])
    if ends and (not may_end or tonumber(ends) >= now) then records[#records + 1] = known[index + 1] end
  end
  return records
end
`
