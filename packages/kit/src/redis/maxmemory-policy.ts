// What Redis does when its memory is full.
import type { Redis } from 'ioredis'
import type { Sendable } from './call.ts'
import { AH_KIT_REDIS_DOWN, AH_KIT_REDIS_REFUSED, AH_KIT_REDIS_TIMEOUT } from './errors.ts'

const untold = [AH_KIT_REDIS_REFUSED, AH_KIT_REDIS_DOWN, AH_KIT_REDIS_TIMEOUT]

// At boot: Fastify gives a plugin 10 s, of which connecting may have taken 8.
const withinMs = 1000

/** The policy of the first master that evicts, else `noeviction`; undefined where it is not told. */
export async function askMaxmemoryPolicy(
  masters: readonly Redis[],
  call: (what: Sendable<string>) => Promise<string>,
): Promise<string | undefined> {
  const asked = masters.map(async (master) => {
    const send = (): Promise<string> => master.call('info', ['memory']) as Promise<string>
    const info = await call({ name: 'info', isWrite: false, send, withinMs })
    return /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
  })
  try {
    const policies = await Promise.all(asked)
    return policies.find((policy) => policy !== undefined && policy !== 'noeviction') ?? policies[0]
  } catch (error) {
    // Worth a warning if it is known, not worth a boot: the user may not ask, or Redis is slow at this moment.
    if (untold.some((Untold) => error instanceof Untold)) return undefined
    throw error
  }
}
