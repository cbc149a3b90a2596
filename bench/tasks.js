// The tasks against bullmq, bee-queue and node-resque: no-op jobs worked by one process, 1, 10 and 100 at a time; how soon
// an idle worker starts one; how fast they are enqueued; a queue of a million; and how long a job is gone after `kill -9`.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRedis, tempDir } from 'fastify-ah-test-support'
import { jobRecoveryMs } from './harness/job-recovery.js'

/** Of each measurement of an enqueue. */
const MS = 300
const peerFiles = {
  bullmq: 'tasks-bullmq.js',
  'bee-queue': 'tasks-bee-queue.js',
  'node-resque': 'tasks-node-resque.js',
}
/** Jobs at a time → target: against the best peer of the three, so against each of them. */
const workTargets = { 1: 1.5, 10: 3, 100: 4 }
const LEASE_AND_SWEEP_MS = 15_000 + 5_000

export default async function tasks(session) {
  const redis = await startRedis({}, session)
  let database = 0
  // A database each: what one side leaves behind is no key of another's.
  const contender = (file) => {
    database += 1
    return session.contender(file, { BENCH_REDIS: `${redis.url}/${database}` })
  }
  const ours = await contender('tasks-ours.js')
  const peers = {}
  for (const [name, file] of Object.entries(peerFiles)) peers[name] = await contender(file)
  for (const [name, peer] of Object.entries(peers)) {
    for (const [concurrency, target] of Object.entries(workTargets)) {
      await session.duel({
        name: `no-op jobs, ${concurrency} at a time, against ${name}`,
        unit: 'jobs/s',
        target,
        ours: () => ours.measure(`work${concurrency}`),
        peer: () => peer.measure(`work${concurrency}`),
      })
    }
  }
  await starts(session, ours, peers)
  await enqueues(session, ours, peers)
  await depth(session, contender)
  await recovery(session, redis)
}

async function starts(session, ours, { bullmq, 'bee-queue': beeQueue }) {
  for (const [name, peer] of Object.entries({ bullmq, 'bee-queue': beeQueue })) {
    await session.duel({
      name: `start of a job by an idle worker, against ${name}`,
      unit: 'ms (p50)',
      better: 'less',
      target: 1,
      ours: () => ours.measure('p50'),
      peer: () => peer.measure('p50'),
    })
  }
  if (!session.wants('start of a job, p99 above p50')) return
  const [p50, p99] = [await ours.measure('p50'), await ours.measure('p99')]
  session.count({
    name: 'start of a job, p99 above p50',
    unit: 'ms',
    most: 3,
    ours: p99 - p50,
    peers: { 'bee-queue': (await beeQueue.measure('p99')) - (await beeQueue.measure('p50')) },
  })
}

async function enqueues(session, ours, peers) {
  for (const [name, peer] of Object.entries(peers)) {
    for (const callers of [1, 64]) {
      await session.duel({
        name: `enqueue, ${callers === 1 ? 'one by one' : '64 at once'}, against ${name}`,
        unit: 'jobs/s',
        // One by one nobody gathers anything: the price of an enqueue that no cut connection does twice.
        target: callers === 1 ? 0.6 : 1,
        ours: () => cleared(ours, () => ours.rate('add', { callers, ms: MS })),
        peer: () => cleared(peer, () => peer.rate('add', { callers, ms: MS })),
      })
    }
    await session.duel({
      name: `enqueue in bulk, against ${name}`,
      unit: 'jobs/s',
      target: 2,
      ours: () => cleared(ours, () => ours.measure('bulk', MS)),
      peer: () => cleared(peer, () => peer.measure('bulk', MS)),
    })
  }
}

async function cleared(side, measure) {
  const measured = await measure()
  await side.measure('clear')
  return measured
}

/** Against ourselves: what a job costs must not depend on how many wait. */
async function depth(session, contender) {
  const name = 'no-op jobs, 100 at a time, 1 000 000 waiting against 40 000'
  if (!session.wants(name)) return
  const [deep, shallow] = [await contender('tasks-ours.js'), await contender('tasks-ours.js')]
  await session.duel({
    name,
    unit: 'jobs/s',
    target: 0.85,
    ours: () => deep.measure('deep'),
    peer: () => shallow.measure('work100'),
  })
}

async function recovery(session, redis) {
  const client = redis.client()
  const env = { BENCH_REDIS: redis.url, REDIS_URL: redis.url }
  const app = fileURLToPath(new URL('contenders/tasks-app.js', import.meta.url))
  const managed = 'kill -9 of the process of a job until another runs it, under the manager'
  if (session.wants(managed)) {
    const pids = tempDir(session).path
    const words = ['start', 'cluster', app, '--workers', '2', '--host', '127.0.0.1', '--no-embedded', '--pids', pids]
    const server = await session.server('two workers', (port) => [command(), ...words, '--port', String(port)], env)
    const ours = await jobRecoveryMs(client, 10_000)
    session.count({ name: managed, unit: 'ms', most: 1_000, ours, peers: {} })
    await server.close()
  }
  const alone = 'kill -9 of the process of a job until another runs it, without a manager'
  if (session.wants(alone)) {
    for (const name of ['one', 'other']) await session.server(name, (port) => [app, String(port)], env)
    const ours = await jobRecoveryMs(client, 60_000)
    session.count({ name: alone, unit: 'ms', most: LEASE_AND_SWEEP_MS, ours, peers: {} })
  }
}

function command() {
  const manifest = createRequire(import.meta.url).resolve('fastify-ah/package.json')
  return join(dirname(manifest), 'bin/fastify-ah.js')
}
