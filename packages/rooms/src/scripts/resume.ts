// Owns the Lua that answers what came behind a message, or that nobody can say.

/**
 * `missed_since(meta, history, epoch, id, most_bytes)`: nil if that cannot be said for sure, else a list of ids and messages.
 * The proof that nothing is left out is the message behind, which names the one before it. A server that has dropped that one,
 * or has never had the one that was heard (another took over), cannot give it.
 */
export const resumeLua = /* lua */ `
local function missed_since(meta, history, epoch, id, most_bytes)
  local held = redis.call('HMGET', meta, 'epoch', 'last')
  if held[1] ~= epoch then return nil end
  if held[2] == id then return {} end
  local entries = redis.call('XRANGE', history, '(' .. id, '+')
  if #entries == 0 then return nil end
  local proof = ',"prev":"' .. id .. '","epoch":"' .. epoch .. '"}'
  if string.sub(entries[1][2][2], -#proof) ~= proof then return nil end
  local missed, bytes = {}, 0
  for index = 1, #entries do
    local text = entries[index][2][2]
    bytes = bytes + #text
    if bytes > most_bytes then return nil end
    missed[#missed + 1] = entries[index][1]
    missed[#missed + 1] = text
  end
  return missed
end
`
