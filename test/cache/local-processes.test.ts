// Three processes with a local tier each, at random on few keys, while their connections are cut.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  atEnd,
  type RedisServer,
  random,
  scaled,
  spawnNode,
  startProxy,
  startRedis,
  type TestScope,
  until,
} from 'fastify-ah-test-support'
import { Stalls, stalledMs } from './stalls.ts'
import { Timeline } from './timeline.ts'

type Note = [key: string, value: string | null | false, begun: number, ended: number]
interface Report {
  notes: Note[]
  failed: number
  hits: number
  invalidations: number
  /** When the reader did nothing. */
  stalls: [from: number, to: number][]
}

const keys = Array.from({ length: 24 }, (_, index) => `k${index}`)
const oldestMs = 50

/** Notes by Redis' own clock what happens to values and locks; `stop` answers when all of it is noted. */
async function watch(redis: RedisServer, scope: TestScope) {
  const values = new Map(keys.map((key) => [key, new Timeline()]))
  const locks = new Map(keys.map((key) => [key, new Timeline()]))
  const client = redis.client()
  const monitor = await redis.client().monitor()
  atEnd(scope, () => monitor.disconnect())
  monitor.on('error', () => undefined)
  const versions = new Map<string, number>()
  let changes = 0
  let isOver = false
  // The owner of a lock that may be taken; that it was, the command behind it tells.
  let asked: [key: string, owner: string] | undefined
  monitor.on('monitor', (time: string, [name = '', redisKey = '', ...args]: string[]) => {
    if (name === 'echo') isOver = true
    const [, kind, key = ''] = /^actionhero:(cache|lock|lock-call|tag):([kt]\d+)$/.exec(redisKey) ?? []
    if (kind === undefined) return
    const at = Number(time) * 1000
    const command = name.toUpperCase()
    if (kind === 'tag') {
      if (command !== 'SET') return
      versions.set(key, Number(args[0]))
      for (const timeline of values.values()) timeline.raise(at, key)
      return
    }
    const of = (kind === 'cache' ? values : locks).get(key)!
    const isRemoval = command === 'UNLINK' || command === 'DEL'
    if (kind === 'cache') {
      if (command === 'SET' || command === 'PSETEX') {
        const [bytes, ttl] = command === 'SET' ? [args[0]!] : [args[1]!, Number(args[0])]
        const tags = tagsIn(bytes)
        // Saved with what a tag was before it was invalidated: nobody may see it.
        const isCurrent = [...tags].every(([tag, version]) => version === (versions.get(tag) ?? 0))
        of.set(at, isCurrent ? valueIn(bytes) : undefined, ttl, isCurrent ? [...tags.keys()] : [])
      } else if (command === 'PEXPIRE') of.renew(at, Number(args[0]))
      else if (isRemoval) of.set(at, undefined)
      else return
      changes += 1
    } else if (kind === 'lock' && command === 'SET') asked = [key, args[0]!]
    else if (kind === 'lock-call' && command === 'SET') of.set(at, asked![1], Number(args[2]))
    else if (kind === 'lock' && isRemoval) of.set(at, undefined)
  })
  return {
    values,
    locks,
    changes: () => changes,
    stop: async () => {
      await client.echo('over')
      await until(() => isOver)
      monitor.disconnect()
    },
  }
}

/** Closes all connections but those that subscribe and that of the monitor. */
async function killRequests(redis: RedisServer): Promise<void> {
  const clients = String(await redis.command('CLIENT', 'LIST', 'TYPE', 'normal')).split('\n')
  const ids = clients.flatMap((line) => (/ flags=N /.test(line) ? (/^id=(\d+)/.exec(line)?.[1] ?? []) : []))
  // Some are gone by now.
  for (const id of ids) await redis.command('CLIENT', 'KILL', 'ID', id)
}

/** The tags of an entry and their versions. */
function tagsIn(bytes: string): Map<string, number> {
  const pairs = bytes.replaceAll('\\"', '"').matchAll(/\["(t\d)",(\d+)\]/g)
  return new Map([...pairs].map(([, tag, version]) => [tag!, Number(version)]))
}

function valueIn(bytes: string): string {
  return /"value":"([^"]+)"/.exec(bytes.replaceAll('\\"', '"'))![1]!
}

test('[20] random writes, ends, locks and cut connections: nothing old at rest, and none older than 50 ms in motion', async (t) => {
  const redis = await startRedis({}, t)
  const names = ['one', 'two', 'three']
  const writes = Math.ceil(scaled(10_000, 900) / names.length)
  const processes = await Promise.all(
    names.map(async (name) => {
      const proxy = await startProxy({ target: redis }, t)
      const program = new URL('./programs/local-reader.js', import.meta.url)
      const spawned = spawnNode(program, { args: [proxy.url, name, String(writes), ...keys], ipc: true }, t)
      await once(spawned.child, 'message')
      return { name, proxy, spawned }
    }),
  )
  const seen = await watch(redis, t)
  const tell = async <T>(spawned: (typeof processes)[number]['spawned'], what: string): Promise<T> => {
    const answer = once(spawned.child, 'message')
    spawned.child.send(what)
    return (await answer)[0] as T
  }

  // All connections go through this process: what is promised holds for a network that delivers.
  const network = new Stalls()
  let areAtWork = true
  const reports = Promise.all(processes.map(({ spawned }) => tell<Report>(spawned, 'work'))).finally(() => {
    areAtWork = false
  })
  let cuts = 0
  while (areAtWork) {
    // Time is the subject: the instants of the cuts must be any.
    await sleep(50 + random() * 300)
    const kind = Math.floor(random() * 4)
    if (kind < 2) processes[Math.floor(random() * processes.length)]!.proxy.cut()
    if (kind === 2) await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    if (kind === 3) await killRequests(redis)
    cuts += 1
  }
  const found = await reports
  await seen.stop()
  network.stop()

  const old: string[] = []
  let oldest = 0
  for (const [index, { notes, stalls: own }] of found.entries()) {
    const owner = names[index]!
    for (const [key, value, begun, ended] of notes) {
      if (value === false) continue
      // And for a reader that gets a turn: one that the system does not let run hears nothing either.
      const before = (age = Number.POSITIVE_INFINITY) =>
        age <= oldestMs ? age : age - stalledMs([...network.spans, ...own], begun - age, ended)
      const age = before(seen.values.get(key)!.ageOf(value ?? undefined, begun, ended))
      const locks = seen.locks.get(key)!
      const ages = [undefined, owner].map((holder) => before(locks.ageOf(holder, begun, ended)))
      oldest = Math.max(oldest, age, Math.min(...ages))
      if (age > oldestMs) old.push(`${owner} read ${value} of ${key}, ${age} ms after it was gone`)
      if (Math.min(...ages) > oldestMs) old.push(`${owner} read ${key}, locked by another for ${Math.min(...ages)} ms`)
    }
  }
  const reads = found.reduce((sum, { notes }) => sum + notes.length, 0)
  const hits = found.reduce((sum, report) => sum + report.hits, 0)
  const failures = found.reduce((sum, { failed }) => sum + failed, 0)
  t.diagnostic(
    `${reads} reads, ${hits} of memory, ${seen.changes()} changes, ${cuts} cuts; oldest ${Math.round(oldest)} ms`,
  )
  assert.deepEqual(old.slice(0, 10), [])
  assert.ok(hits > reads / 20, `${hits} of ${reads} reads were answered from memory`)
  assert.ok(seen.changes() > (writes * names.length) / 3)
  assert.ok(cuts > 2)
  assert.ok(failures < reads / 100, `${failures} calls failed`)

  // Time is the subject: the longest of the random ends is 205 ms; from then on all is at rest.
  await sleep(300)
  const client = redis.client()
  const held = await Promise.all(keys.map((key) => client.get(`actionhero:cache:${key}`)))
  const expected = Object.fromEntries(
    keys.map((key, index) => {
      // Tags too are as the monitor said.
      const value = held[index] === null ? null : seen.values.get(key)!.now === undefined ? null : valueIn(held[index]!)
      return [key, [value, value]]
    }),
  )
  for (const { spawned } of processes) {
    const before = found[processes.findIndex((process) => process.spawned === spawned)]!.hits
    const { values, hits: now } = await tell<{ values: object; hits: number }>(spawned, 'rest')
    assert.deepEqual(values, expected)
    assert.ok(now > before, 'memory was asked')
    await spawned.assertNothingUnhandled()
  }
})
