// The shared last-beat: whether Redis, or everybody, was away, so that nobody's lease may be taken for ended.
import type { RedisConnection } from './connection.ts'
import { defineScript } from './script.ts'

/**
 * Lua for scripts that write or end leases: `now_ms()`, `beat(key, lease_ms)` at every heartbeat, and
 * `may_expire(key, lease_ms)` before anything is declared dead.
 *
 * The record is `<last beat>:<no expiry before>`, both in ms by Redis. A beat that comes after half a lease of
 * silence means that nobody could beat: all expiry waits one full lease from then on. With no beat for half a lease
 * nothing ends either, since the silence is still going on. The key may be forgotten after a long silence: what follows
 * is the same.
 */
export const sharedBeatLua = `
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function read_beat(key)
  local record = redis.call('GET', key)
  if not record then return nil end
  local last, hold = string.match(record, '^(%d+):(%d+)$')
  return tonumber(last), tonumber(hold)
end
local function beat(key, lease_ms)
  local now = now_ms()
  local last, hold = read_beat(key)
  hold = hold or 0
  if not last or now - last > lease_ms / 2 then hold = now + lease_ms end
  redis.call('SET', key, string.format('%.0f:%.0f', now, hold), 'PX', lease_ms * 4)
  return now
end
local function may_expire(key, lease_ms)
  local now = now_ms()
  local last, hold = read_beat(key)
  return last ~= nil and now - last <= lease_ms / 2 and now >= hold
end
`

const recordBeat = defineScript({
  name: 'record-beat',
  keys: ['beat_key'],
  args: ['lease_ms'],
  // Were it refused when memory is full, nothing that ended would be taken up until there is room.
  allowOom: true,
  lua: `${sharedBeatLua}
return beat(beat_key, tonumber(lease_ms))`,
})

const askExpiry = defineScript({
  name: 'ask-expiry',
  keys: ['beat_key'],
  args: ['lease_ms'],
  writes: false,
  lua: `${sharedBeatLua}
return may_expire(beat_key, tonumber(lease_ms)) and 1 or 0`,
})

/** The last-beat of one kind of lease; every process that holds such leases beats. */
export class SharedBeat {
  readonly #connection: RedisConnection
  readonly #key: string
  readonly #leaseMs: number

  constructor(connection: RedisConnection, key: string, leaseMs: number) {
    this.#connection = connection
    this.#key = key
    this.#leaseMs = leaseMs
  }

  /** Records that somebody is alive; answers the time in ms by Redis. */
  record(): Promise<number> {
    return this.#connection.run(recordBeat, [this.#key], [this.#leaseMs])
  }

  /** Whether leases that look ended have really ended. */
  async mayExpire(): Promise<boolean> {
    return (await this.#connection.run<number>(askExpiry, [this.#key], [this.#leaseMs])) === 1
  }
}
