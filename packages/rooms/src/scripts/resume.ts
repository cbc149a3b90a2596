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
  local proof = ',"prev":"' .. id .. '","epoch":"' .. epoch .. '"}'
  local missed, bytes, from = {}, 0, id
  repeat
    -- No more at a time than is harmless: what is too much is not read to its end.
    local entries = redis.call('XRANGE', history, '(' .. from, '+', 'COUNT', 50)
    for index = 1, #entries do
      local text = entries[index][2][2]
      if #missed == 0 and string.sub(text, -#proof) ~= proof then return nil end
      bytes = bytes + #text
      if bytes > most_bytes then return nil end
      from = entries[index][1]
      missed[#missed + 1] = from
      missed[#missed + 1] = text
    end
  until #entries < 50
  if #missed == 0 then return nil end
  return missed
end
`
