// `fastify-ah start cluster` against bare node:cluster, whose kernel spreads the connections (SCHED_NONE), and pm2.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { tempDir } from 'fastify-ah-test-support'
import { busyClients } from './harness/busy-clients.js'
import { replacementMs } from './harness/replacement.js'

const WORKERS = 2
const SECONDS = 1
const CONNECTIONS = 64
/** What the primary may add. */
const PRIMARY_MB = 60
const KILLS_BEFORE_FLAPPING = 3

export default async function cluster(session) {
  const pids = tempDir(session).path
  const ours = await session.server('fastify-ah start cluster', (port) => startOurs(port, WORKERS, pids))
  const bare = await session.server('node:cluster', (port) => startBare(port, WORKERS))
  const pm2 = await session.pm2(contender('cluster-pm2.js'), WORKERS)
  await speed(session, ours, { 'bare node:cluster': [bare, 0.95], 'pm2 7': [pm2, 1] })
  await reloads(session, { ours: { ...ours, reload: () => reloadOurs(pids) }, pm2 })
  session.count({
    // Its share: the pages of Node itself are the workers' as well.
    name: 'what the primary adds to the memory in use, after the load',
    unit: 'MB',
    most: PRIMARY_MB,
    ours: shareMb(ours.pid),
    peers: { 'node:cluster': shareMb(bare.pid), pm2: shareMb(pm2.pid) },
  })
  await replacement(session)
}

async function speed(session, ours, peers) {
  for (const [name, [peer, target]] of Object.entries(peers)) {
    for (const keepAlive of [true, false]) {
      await session.duel({
        name: `hello world, 64 connections, ${keepAlive ? 'keep-alive' : 'close per request'}, against ${name}`,
        unit: 'requests/s',
        target,
        ours: () => ours.rate({ seconds: SECONDS, keepAlive }),
        peer: () => peer.rate({ seconds: SECONDS, keepAlive }),
      })
    }
  }
}

/** Both by their command, which ends when the new workers serve and the old ones have gone. */
async function reloads(session, { ours, pm2 }) {
  const errors = { ours: 0, pm2: 0 }
  let count = 0
  const reload = async (server, side) => {
    const clients = busyClients(server.port, CONNECTIONS)
    const start = performance.now()
    await server.reload()
    const ms = performance.now() - start
    errors[side] += (await clients.stop()).errors
    if (side === 'ours') count += 1
    return ms
  }
  await session.duel({
    name: `reload of ${WORKERS} workers under ${CONNECTIONS} keep-alive connections, against pm2 7`,
    unit: 'ms',
    better: 'less',
    target: 1,
    ours: () => reload(ours, 'ours'),
    peer: () => reload(pm2, 'pm2'),
  })
  session.count({
    name: `requests lost in these ${count} reloads`,
    unit: 'requests',
    most: 0,
    ours: errors.ours,
    peers: { pm2: errors.pm2 },
  })
}

/** One worker, so that nobody else can answer for it. */
async function replacement(session) {
  const start = () => {
    const pids = tempDir(session).path
    return session.server('fastify-ah with one worker', (port) => startOurs(port, 1, pids))
  }
  let ours = await start()
  let kills = 0
  const bare = await session.server('node:cluster with one worker', (port) => startBare(port, 1))
  await session.duel({
    name: 'kill -9 of the only worker until its replacement answers, against node:cluster',
    unit: 'ms',
    better: 'less',
    target: 1 / 1.2,
    ours: async () => {
      // A fourth death within half a minute is flapping, which is answered with a wait: a fresh cluster takes it.
      if (kills === KILLS_BEFORE_FLAPPING) {
        await ours.close()
        ours = await start()
        kills = 0
      }
      kills += 1
      return replacementMs(ours)
    },
    peer: () => replacementMs(bare),
  })
}

/** The proportional set size of a process, in MB. */
function shareMb(pid) {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) / 1024
}

function startOurs(port, workers, pids) {
  return [
    command(),
    ...['start', 'cluster', contender('cluster-app.js'), '--pids', pids],
    ...['--workers', String(workers), '--host', '127.0.0.1', '--port', String(port), '--no-embedded'],
  ]
}

function startBare(port, workers) {
  return [contender('cluster-bare.js'), String(workers), String(port)]
}

function reloadOurs(pids) {
  return promisify(execFile)(process.execPath, [command(), 'reload', '--pids', pids], { timeout: 60_000 })
}

function contender(file) {
  return fileURLToPath(new URL(`contenders/${file}`, import.meta.url))
}

function command() {
  const manifest = createRequire(import.meta.url).resolve('fastify-ah/package.json')
  return join(dirname(manifest), 'bin/fastify-ah.js')
}
