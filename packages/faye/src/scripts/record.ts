// The Lua that all scripts of a client's record share.

/**
 * A record is a hash: `keeper` (id of the node, empty if nobody keeps it), `epoch` (ascends with each keeper), `left` (what the
 * last keeper had for the client when it went), and a member `c:<channel>` for each subscription.
 */
export const recordLua = /* lua */ `
local function is_kept_by(record, keeper, epoch)
  local held = redis.call('HMGET', record, 'keeper', 'epoch')
  return held[1] == keeper and held[2] == epoch
end
`
