// Owns the Lua by which a processor that has nothing to do can be found.

/**
 * A processor that runs nothing and found nothing offers itself: for each of its queues `<boot id> <queues>` stands in
 * `ah:idle:<queue>` (where it works all, in `ah:idle:*` alone). An offer is for one job, and ends with it, or with an
 * exchange that finds the processor at work.
 */
export const offerLua = `
local function withdraw(root, boot, queues)
  for name in string.gmatch(queues, '[^,]+') do
    redis.call('LREM', root .. 'ah:idle:' .. name, '0', boot .. ' ' .. queues)
  end
end
local function offer(root, boot, queues)
  withdraw(root, boot, queues)
  for name in string.gmatch(queues, '[^,]+') do
    redis.call('RPUSH', root .. 'ah:idle:' .. name, boot .. ' ' .. queues)
  end
end
`
