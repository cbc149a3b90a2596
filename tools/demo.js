// `npm run demo`: from a clean clone to the demo on two workers and the embedded store. Ctrl-C ends all of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pnpm } from './pnpm.js'
import { root } from './root.js'

const HOST = '127.0.0.1'
const WORKERS = 2
const START_DEADLINE_MS = 30_000

const port = process.env.PORT || '8080'
const address = `http://${HOST}:${port}/`
const { name } = JSON.parse(readFileSync(join(root, 'examples/demo/package.json'), 'utf8'))

// The root brings the compiler; the filter leaves out what only tests and benchmarks need.
await step('installing', 'install', '--frozen-lockfile', '--filter', 'fastify-ah-monorepo', '--filter', `${name}...`)
await step('building', 'exec', 'turbo', 'run', 'build', '--filter', `${name}...`, '--output-logs=errors-only')

const command = join(root, 'packages/fastify-ah/bin/fastify-ah.js')
const args = ['start', 'cluster', 'app.js', '--workers', String(WORKERS), '--host', HOST, '--port', port, '--embedded']
// Whoever answers already is not ours; the cluster will say that the port is taken.
const isTaken = await answers()
const cluster = spawn(process.execPath, [command, ...args], {
  cwd: join(root, 'examples/demo'),
  stdio: ['ignore', 'inherit', 'inherit'],
  // Outside of the terminal's group: else Ctrl-C would reach it twice, and the second one means force.
  detached: true,
})
const ended = once(cluster, 'exit')
process.on('SIGINT', () => cluster.kill('SIGINT'))
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => cluster.kill('SIGTERM'))

if (!isTaken && (await Promise.race([untilItAnswers(), ended.then(() => false)]))) {
  console.log(`\n  the demo is at ${address} (${WORKERS} workers; Ctrl-C ends it)\n`)
}
const [code, signal] = await ended
process.exitCode = signal === null ? code : 1

async function step(title, ...pnpmArgs) {
  console.log(`${title} …`)
  const { code, output } = await pnpm(...pnpmArgs)
  if (code === 0) return
  console.error(`${title} failed:\n${output}`)
  process.exit(1)
}

async function untilItAnswers() {
  const patience = Date.now() + START_DEADLINE_MS
  while (Date.now() < patience) {
    if (await answers()) return true
    await sleep(100)
  }
  console.error(`no answer from ${address} after ${START_DEADLINE_MS / 1000} s`)
  cluster.kill('SIGTERM')
  return false
}

function answers() {
  return new Promise((resolve) => {
    const asked = get(address, (response) => {
      response.resume()
      resolve(true)
    })
    asked.once('error', () => resolve(false))
  })
}
