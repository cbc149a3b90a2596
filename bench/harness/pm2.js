// A pm2 of one's own: its daemon and all that it keeps lie in a temporary folder, and end with the benchmark.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, httpGet, isAlive, tempDir, until } from 'fastify-ah-test-support'
import { requestsPerSecond } from './server.js'

const NAME = 'bench'
const COMMAND_MS = 60_000

/** Starts `file` in cluster mode on a free port, as pm2's documentation advises for reloads without downtime. */
export async function startPm2(file, instances) {
  const port = await freePort()
  const folder = tempDir()
  const program = createRequire(import.meta.url).resolve('pm2/bin/pm2')
  const env = { ...process.env, NODE_ENV: 'production', PM2_HOME: folder.path, PORT: String(port) }
  const pm2 = (...args) =>
    promisify(execFile)(process.execPath, [program, ...args], { env, cwd: folder.path, timeout: COMMAND_MS })
  const daemon = () => Number(readFileSync(join(folder.path, 'pm2.pid'), 'utf8'))
  const close = async () => {
    const pid = daemon()
    await pm2('kill')
    await until(() => !isAlive(pid), { what: 'the daemon of pm2 is gone' })
    await folder.dispose()
  }
  try {
    const patience = ['--wait-ready', '--listen-timeout', '20000', '--kill-timeout', '10000']
    await pm2('start', file, '--name', NAME, '-i', String(instances), ...patience)
    await until(async () => (await httpGet({ port })).status === 200, { deadlineMs: 20_000, what: 'an answer of pm2' })
  } catch (error) {
    await close()
    throw error
  }
  return {
    port,
    /** Of the daemon, which is the primary of its workers. */
    get pid() {
      return daemon()
    },
    rate: (options) => requestsPerSecond(port, options),
    reload: () => pm2('reload', NAME),
    close,
  }
}
