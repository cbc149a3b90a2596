// Owns the production topology: nginx → unix socket → two web workers and one task worker → Sentinel.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  httpGet,
  type Nginx,
  type RedisSentinel,
  type SpawnedNode,
  spawnNode,
  startDeployedNginx,
  startSentinel,
  type TestScope,
  tempDir,
  until,
} from 'fastify-ah-test-support'

const require = createRequire(import.meta.url)
const command = join(dirname(require.resolve('fastify-ah/package.json')), 'bin/fastify-ah.js')
const app = fileURLToPath(new URL('../programs/production-app.js', import.meta.url))

/** A worker, by the word of the primary. */
export interface Worker {
  readonly pid: number
  readonly role: string
  readonly state: string
  readonly generation: number
}

/** All of it, running. */
export interface Stage {
  readonly nginx: Nginx
  readonly sentinel: RedisSentinel
  readonly cluster: SpawnedNode
  /** Numbers of the tasks that ran, one a line. */
  readonly ranFile: string
  workers(): Promise<readonly Worker[]>
  /** Waits until three workers serve, none of them one of `not`. */
  untilWhole(not?: readonly number[]): Promise<readonly Worker[]>
}

export async function startStage(scope: TestScope): Promise<Stage> {
  const folder = tempDir(scope).path
  const sentinel = await startSentinel({ config: { appendonly: 'yes' } }, scope)
  const { sentinels, name } = sentinel
  const [socket, ranFile, pids] = ['web.sock', 'ran', 'pids'].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ]
  const args = ['start', 'cluster', app, '--roles', 'web=2,worker=1', '--socket', socket, '--socket-mode', '0660']
  const env = {
    NODE_ENV: 'production',
    SERVER_TOKEN: 'known to the workers of this test alone',
    SOAK_REDIS: JSON.stringify({ sentinels, name }),
    SOAK_RAN: ranFile,
  }
  const cluster = spawnNode(command, { args: [...args, '--pids', pids], env }, scope)
  const { nginx } = await startDeployedNginx({ socket }, scope)
  await cluster.waitForLine(/cluster equilibrium state reached with 3 workers/, 30_000)
  const workers = async () => {
    const { body } = await httpGet(nginx, { path: '/status' })
    return (JSON.parse(body) as { workers: Worker[] }).workers
  }
  const untilWhole = (not: readonly number[] = []) =>
    until(
      async () => {
        const serving = (await workers()).filter(({ state, pid }) => state === 'started' && !not.includes(pid))
        return serving.length === 3 && serving
      },
      { what: 'three workers serve', deadlineMs: 30_000 },
    )
  return { nginx, sentinel, cluster, ranFile, workers, untilWhole }
}
