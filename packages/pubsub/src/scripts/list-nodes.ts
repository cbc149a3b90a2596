// Owns reading the list of live nodes.
import { defineScript } from 'fastify-ah-kit/redis'
import { nodeRecordsLua } from './node-records.ts'

/** Answers whether leases may end just now, and the records of the nodes that live. */
export const listNodes = defineScript({
  name: 'list-nodes',
  keys: ['list', 'leases', 'beat_key'],
  args: ['lease_ms'],
  writes: false,
  lua: `${nodeRecordsLua}
local may_end = may_expire(beat_key, tonumber(lease_ms))
return {may_end and 1 or 0, live_nodes(list, leases, may_end, now_ms())}`,
})
