// A tick's questions as commands: as few as the topology allows.
import { AH_KIT_REDIS_REFUSED, type RedisConnection } from 'fastify-ah-kit/redis'
import {
  type Answer,
  type Asked,
  type Pair,
  type Placed,
  type Read,
  type Renewal,
  type Save,
  segmentsOf,
} from './asked.ts'
import type { ReplySize } from './reply-size.ts'
import { loadAndRenew } from './scripts/load-and-renew.ts'
import { loadAndRenewAll } from './scripts/load-and-renew-all.ts'
import { saveEntries } from './scripts/save-entries.ts'
import { saveEntry } from './scripts/save-entry.ts'

type Answers = (Answer | Error)[]

/** A lone question. */
export function sendOne(connection: RedisConnection, item: Asked): Promise<Answer> {
  const keys = [item.value, item.lock]
  if (item.kind === 'read') return connection.read<Pair>('MGET', keys)
  if (item.kind === 'renewal') return connection.run<Pair>(loadAndRenew, keys, [item.owner, item.ttl])
  return connection.run<number>(saveEntry, keys, argumentsOf(item))
}

/** On one server: an MGET and a script or two for each segment. All is handed over before the first answer comes. */
export async function sendTogether(
  connection: RedisConnection,
  items: readonly Asked[],
  size: ReplySize,
): Promise<Answers> {
  const answers: Answers = new Array(items.length)
  await Promise.all(
    segmentsOf(items).flatMap(({ reads, renewals, saves }) => [
      ...chunksOf(reads, size.mostKeys).map((chunk) => settle(chunk, answers, readAll)),
      settle(renewals, answers, renewAll),
      settle(saves, answers, saveAll),
    ]),
  )
  return answers

  async function readAll(group: readonly Placed<Read>[]): Promise<Answers> {
    // A key that many want is asked for once.
    const places = new Map<string, number>()
    const keys: string[] = []
    for (const { item } of group) {
      if (places.has(item.value)) continue
      places.set(item.value, keys.length)
      keys.push(item.value, item.lock)
    }
    const found = await connection.read<(string | null)[]>('MGET', keys)
    size.note(found, places.size)
    return group.map(({ item }) => pairAt(found, places.get(item.value) as number))
  }

  async function renewAll(group: readonly Placed<Renewal>[]): Promise<Answers> {
    const keys = group.flatMap(({ item }) => [item.value, item.lock])
    const args = group.flatMap(({ item }) => [item.owner, item.ttl])
    const found = await connection.run<(string | null)[]>(loadAndRenewAll, keys, args)
    return group.map((_, index) => pairAt(found, index * 2))
  }

  async function saveAll(group: readonly Placed<Save>[]): Promise<Answers> {
    const keys: string[] = []
    const args: (string | number)[] = []
    for (const { item } of group) {
      keys.push(item.value, item.lock)
      args.push(item.owner, item.bytes, item.ttl ?? '')
    }
    const saved = await connection.run<(number | string)[]>(saveEntries, keys, args)
    return saved.map((answer) => (typeof answer === 'string' ? refusal(answer) : answer))
  }
}

/** On Cluster, to one master: a pipeline of a command for each key, since no command may touch two slots. */
export async function sendOnCluster(connection: RedisConnection, items: readonly Asked[]): Promise<Answers> {
  const answers = await connection.pipeline(
    items.map((item) => {
      const keys = [item.value, item.lock]
      if (item.kind === 'read') return { command: 'MGET', args: keys }
      if (item.kind === 'renewal') return { script: loadAndRenew, keys, args: [item.owner, item.ttl] }
      return { script: saveEntry, keys, args: argumentsOf(item) }
    }),
    { isWrite: items.some(({ kind }) => kind !== 'read') },
  )
  return answers as Answers
}

function chunksOf<T>(items: readonly T[], most: number): (readonly T[])[] {
  if (items.length <= most) return [items]
  const chunks: T[][] = []
  for (let start = 0; start < items.length; start += most) chunks.push(items.slice(start, start + most))
  return chunks
}

/** Puts the answers of a group in their places; an error is that of all of them. */
async function settle<T extends Asked>(
  group: readonly Placed<T>[],
  answers: Answers,
  send: (group: readonly Placed<T>[]) => Promise<Answers>,
): Promise<void> {
  if (group.length === 0) return
  try {
    const own = await send(group)
    for (const [index, { place }] of group.entries()) answers[place] = own[index] as Answer | Error
  } catch (error) {
    for (const { place } of group) answers[place] = error as Error
  }
}

function refusal(answer: string): Error {
  return new AH_KIT_REDIS_REFUSED(saveEntries.name, answer, { cause: new Error(answer) })
}

function argumentsOf({ owner, bytes, ttl }: Save): (string | number)[] {
  return ttl === undefined ? [owner, bytes] : [owner, bytes, ttl]
}

function pairAt(found: readonly (string | null)[], index: number): Pair {
  return [found[index] ?? null, found[index + 1] ?? null]
}
