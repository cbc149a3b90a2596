// The next fencing token of a key, for the scripts that take its lock.

/** How long a key's last token is kept, in ms: a holder that wakes up within this time is refused. */
export const fenceMs = 86_400_000

/**
 * Lua that defines `next_token(last)`: larger than the last one, and than any that was forgotten, as long as Redis' clock
 * goes forward; so it is the time in µs unless that stood still.
 */
export const nextTokenLua = /* lua */ `
local function next_token(last)
  local now = redis.call('TIME')
  return string.format('%.0f', math.max((tonumber(last) or 0) + 1, now[1] * 1000000 + now[2]))
end`
