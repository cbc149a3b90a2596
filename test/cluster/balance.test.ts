// Long-lived connections lie evenly on the workers, however the kernel hands them out.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { ClusterStatus } from 'fastify-ah-cluster'
import { httpGet, until } from 'fastify-ah-test-support'
import { type RawConnection, rawConnection } from './raw-connection.ts'
import { getJson, startCluster } from './running.ts'

const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
const AT_ONCE = 20

test('[63a] of long-lived connections over 4 workers, one of them slow, none holds more than 1.6 × the mean', async (t) => {
  const workers = 4
  // Not fewer at the small scale: below 256 a worker takes what comes.
  const sockets = 1_000
  const cluster = await startCluster({ workers }, t)
  await getJson(cluster.target, '/slow-down')
  const counts = new Map<string, number>()
  const open: RawConnection[] = []
  const opener = async () => {
    while (open.length < sockets) {
      const connection = await rawConnection(cluster.target, t)
      open.push(connection)
      const [, pid] = /x-pid: (\d+)/.exec(await connection.ask(REQUEST))!
      counts.set(pid!, (counts.get(pid!) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, opener))
  const mean = open.length / workers
  t.diagnostic(`${open.length} sockets: ${[...counts.values()].join(', ')}`)
  assert.equal(counts.size, workers)
  assert.ok(Math.max(...counts.values()) <= 1.6 * mean, [...counts.values()].join(', '))
  // Each still answers, from the same worker; and those with too many take new ones again once they have fewer.
  for (const connection of open) assert.match(await connection.ask(REQUEST), /^HTTP\/1\.1 200 /)
  const { workers: seen } = await getJson<ClusterStatus>(cluster.target, '/status')
  assert.equal(seen.length, workers)
  await Promise.all(open.map((connection) => connection.end()))
  const pids = new Set<unknown>()
  await until(async () => {
    // In bursts: one after the other would all go to whichever worker the kernel wakes first.
    const answers = await Promise.all(Array.from({ length: 40 }, () => httpGet(cluster.target)))
    for (const { headers } of answers) pids.add(headers['x-pid'])
    return pids.size >= workers - 1
  })
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})

test('[64] the last one that listens goes on: with the others hung every connection is answered', async (t) => {
  const cluster = await startCluster({ workers: 2, args: ['--hang-ms', '0'] }, t)
  const [pid] = cluster.workers()
  process.kill(pid!, 'SIGSTOP')
  const open: RawConnection[] = []
  const other = cluster.workers().find((one) => one !== pid)
  for (let count = 0; count < 400; count += 1) {
    const connection = await rawConnection(cluster.target, t)
    open.push(connection)
    const asked = performance.now()
    assert.match(await connection.ask(REQUEST), new RegExp(`x-pid: ${other}`))
    assert.ok(performance.now() - asked < 1_000, 'nobody waits for the one that hangs')
  }
  process.kill(pid!, 'SIGCONT')
  await Promise.all(open.map((connection) => connection.end()))
  assert.deepEqual(await cluster.stop(), { code: 0, signal: null })
})
