// A tick's questions as commands: as few as the topology allows.
import { AH_KIT_REDIS_REFUSED, type RedisConnection } from 'fastify-ah-kit/redis'
import {
  type Answer,
  type Asked,
  type Group,
  type Pair,
  type Read,
  type Renewal,
  type Save,
  segmentsOf,
} from './asked.ts'
import type { ReplySize } from './reply-size.ts'
import { loadAndRenew } from './scripts/load-and-renew.ts'
import { loadAndRenewAll } from './scripts/load-and-renew-all.ts'
import { loadEntries } from './scripts/load-entries.ts'
import { saveEntries } from './scripts/save-entries.ts'
import { saveEntry } from './scripts/save-entry.ts'

type Answers = (Answer | Error)[]
type GroupOf<T extends Asked> = Pick<Group<T>, 'items' | 'places'>

/** What all keys of values, and all of locks, begin with; behind it both have the same. */
export interface KeyHeads {
  readonly valuePrefix: string
  readonly lockPrefix: string
}

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
  { valuePrefix, lockPrefix }: KeyHeads,
): Promise<Answers> {
  const answers: Answers = new Array(items.length)
  const sent: Promise<void>[] = []
  for (const { reads, renewals, saves } of segmentsOf(items)) {
    for (const chunk of chunksOf(reads, size.mostKeys)) sent.push(settle(chunk, answers, readAll))
    if (renewals.items.length > 0) sent.push(settle(renewals, answers, renewAll))
    for (const run of runsOfOwner(saves)) sent.push(settle(run, answers, saveAll))
  }
  await Promise.all(sent)
  return answers

  async function readAll(reads: readonly Read[]): Promise<Answers> {
    // A key that many want is asked for once.
    const places = new Map<string, number>()
    for (const { value } of reads) if (!places.has(value)) places.set(value, places.size)
    const keys = [...places.keys()]
    const heads = [Buffer.byteLength(valuePrefix), lockPrefix]
    const found = await connection.run<(string | null)[]>(loadEntries, keys, heads)
    size.note(found, keys.length)
    return reads.map(({ value }) => {
      const place = places.get(value) as number
      return [found[place] ?? null, found[keys.length + place] ?? null]
    })
  }

  async function renewAll(renewals: readonly Renewal[]): Promise<Answers> {
    const keys = renewals.flatMap(({ value, lock }) => [value, lock])
    const args = renewals.flatMap(({ owner, ttl }) => [owner, ttl])
    const found = await connection.run<(string | null)[]>(loadAndRenewAll, keys, args)
    return renewals.map((_, index) => pairAt(found, index * 2))
  }

  async function saveAll(saves: readonly Save[]): Promise<Answers> {
    const keys: string[] = []
    const args: (string | number)[] = [(saves[0] as Save).owner, Buffer.byteLength(valuePrefix), lockPrefix]
    for (const { value, bytes, ttl } of saves) {
      keys.push(value)
      args.push(bytes, ttl ?? '')
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

function chunksOf({ items, places }: Group<Read>, most: number): readonly GroupOf<Read>[] {
  if (items.length <= most) return items.length === 0 ? [] : [{ items, places }]
  const chunks: GroupOf<Read>[] = []
  for (let start = 0; start < items.length; start += most) {
    const end = start + most
    chunks.push({ items: items.slice(start, end), places: places.slice(start, end) })
  }
  return chunks
}

/** Cut where the owner changes, which it hardly ever does: all of a run are saved in its name, and the order stays. */
function runsOfOwner({ items, places }: Group<Save>): readonly GroupOf<Save>[] {
  const runs: GroupOf<Save>[] = []
  let start = 0
  for (let end = 1; end <= items.length; end += 1) {
    if (end < items.length && items[end]?.owner === items[start]?.owner) continue
    runs.push({ items: items.slice(start, end), places: places.slice(start, end) })
    start = end
  }
  return runs
}

/** Puts the answers of a group in their places; an error is that of all of them. */
async function settle<T extends Asked>(
  { items, places }: GroupOf<T>,
  answers: Answers,
  send: (items: readonly T[]) => Promise<Answers>,
): Promise<void> {
  try {
    const own = await send(items)
    for (let index = 0; index < places.length; index += 1) {
      answers[places[index] as number] = own[index] as Answer | Error
    }
  } catch (error) {
    for (const place of places) answers[place] = error as Error
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
