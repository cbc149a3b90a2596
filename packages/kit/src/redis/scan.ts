// All keys of a pattern, page by page, over all masters.
import type { Redis } from 'ioredis'
import type { RedisConnection } from './connection.ts'
import { mastersOf } from './liveness.ts'
import { missingMasters } from './master-of.ts'

/** What to look for. */
export interface ScanOptions {
  /** A Redis glob; see `KeySpace.pattern`. */
  readonly match: string
  /** Keys that Redis looks at in one call; default 500, at most 1000. */
  readonly count?: number
  /** Only keys of this type: `string`, `list`, … */
  readonly type?: string
  readonly signal?: AbortSignal
}

/**
 * Yields pages of keys; empty pages are left out. As with SCAN itself, a key that exists all the while comes at least
 * once, and may come twice; one whose slot moves meanwhile may be missed. On Cluster all masters have to be there: rejects
 * with `AH_KIT_REDIS_TIMEOUT` or `…_DOWN` while one is away, whose keys would be left out.
 */
export async function* scan(connection: RedisConnection, options: ScanOptions): AsyncGenerator<string[]> {
  const { match, count = 500, type, signal } = options
  const args = ['match', match, 'count', Math.min(count, 1000), ...(type === undefined ? [] : ['type', type])]
  const done = new Set<Redis>()
  for (;;) {
    // Asked for each time: one that came meanwhile may hold what another held.
    const masters = connection.isCluster ? await allMasters(connection) : connection.masters()
    const master = masters.find((candidate) => !done.has(candidate))
    if (master === undefined) return
    done.add(master)
    let cursor = '0'
    do {
      signal?.throwIfAborted()
      const [next, keys] = await page(connection, master, cursor, args)
      cursor = next
      if (keys.length > 0) yield keys
    } while (cursor !== '0')
  }
}

/** Of a Cluster, once there is a connection to each. */
function allMasters(connection: RedisConnection): Promise<readonly Redis[]> {
  return connection.call({
    name: 'scan',
    isWrite: false,
    send: async (client) => {
      const missing = missingMasters(client)
      if (missing.length > 0) throw new Error(`there is no connection to ${missing.join(', ')}`)
      return mastersOf(client)
    },
  })
}

function page(
  connection: RedisConnection,
  master: Redis,
  cursor: string,
  args: readonly (string | number)[],
): Promise<[string, string[]]> {
  connection.sent.add('scan')
  return connection.call({
    name: 'scan',
    isWrite: false,
    send: () => master.call('scan', [cursor, ...args]) as Promise<[string, string[]]>,
  })
}
