// Which of Redis' commands subscribes to which name.
import type { RedisClient } from 'fastify-ah-kit/redis'

/** SUBSCRIBE for channels, PSUBSCRIBE for patterns, SSUBSCRIBE where pub/sub is sharded. */
export class SubscribeVerbs {
  readonly #isSharded: boolean

  constructor(isSharded: boolean) {
    this.#isSharded = isSharded
  }

  /** Sends them all before the first answer comes; resolves when Redis has confirmed each name. */
  async send(client: RedisClient, names: { readonly add: string[]; readonly drop: string[] }): Promise<void> {
    const answers = this.#isSharded ? sharded(client, names) : plain(client, names)
    // Each is awaited, so that none can be rejected where nobody looks.
    const settled = await Promise.allSettled(answers)
    for (const answer of settled) if (answer.status === 'rejected') throw answer.reason
  }
}

function plain(
  client: RedisClient,
  { add, drop }: { add: readonly string[]; drop: readonly string[] },
): Promise<unknown>[] {
  const [oldPatterns, oldChannels] = byKind(drop)
  const [newPatterns, newChannels] = byKind(add)
  return [
    ...(oldChannels.length > 0 ? [client.unsubscribe(...oldChannels)] : []),
    ...(oldPatterns.length > 0 ? [client.punsubscribe(...oldPatterns)] : []),
    ...(newChannels.length > 0 ? [client.subscribe(...newChannels)] : []),
    ...(newPatterns.length > 0 ? [client.psubscribe(...newPatterns)] : []),
  ]
}

// One by one: those of different slots may not stand in one command.
function sharded(
  client: RedisClient,
  { add, drop }: { add: readonly string[]; drop: readonly string[] },
): Promise<unknown>[] {
  return [...drop.map((name) => client.sunsubscribe(name)), ...add.map((name) => client.ssubscribe(name))]
}

/** A prefix holds no `*`, and a channel neither. */
function byKind(names: readonly string[]): [patterns: string[], channels: string[]] {
  return [names.filter((name) => name.includes('*')), names.filter((name) => !name.includes('*'))]
}
