// `fastify-ah start cluster` against bare node:cluster, whose kernel spreads the connections (SCHED_NONE).
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const WORKERS = 2
const SECONDS = 1

export default async function cluster(session) {
  const ours = await session.server('fastify-ah start cluster', (port) => [
    command(),
    ...['start', 'cluster', contender('cluster-app.js')],
    ...['--workers', String(WORKERS), '--host', '127.0.0.1', '--port', String(port)],
  ])
  const bare = await session.server('node:cluster', (port) => [
    contender('cluster-bare.js'),
    ...[String(WORKERS), String(port)],
  ])
  for (const keepAlive of [true, false]) {
    await session.duel({
      name: `hello world, 64 connections, ${keepAlive ? 'keep-alive' : 'close per request'}, against bare node:cluster`,
      unit: 'requests/s',
      target: 0.95,
      ours: () => ours.rate({ seconds: SECONDS, keepAlive }),
      peer: () => bare.rate({ seconds: SECONDS, keepAlive }),
    })
  }
}

function contender(file) {
  return fileURLToPath(new URL(`contenders/${file}`, import.meta.url))
}

function command() {
  const manifest = createRequire(import.meta.url).resolve('fastify-ah/package.json')
  return join(dirname(manifest), 'bin/fastify-ah.js')
}
