// Owns the demo under test: its command, its port, and what it answers.
import { fileURLToPath } from 'node:url'
import { freePort, httpGet, type SpawnedNode, spawnNode, type TestScope, until } from 'fastify-ah-test-support'

/** What `/state` says. */
export interface DemoState {
  readonly count: number
  readonly answeredBy: number
  readonly workers: readonly {
    readonly id: number
    readonly pid: number
    readonly state: string
    readonly restarts: number
  }[]
}

/** The running demo. */
export interface Demo {
  readonly port: number
  readonly url: string
  readonly process: SpawnedNode
  /** Asks on a connection of its own. Rejects if the answer is no JSON. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>
  state(): Promise<DemoState>
  /** Waits until exactly two workers serve, none of them one of `gone`; answers their pids. */
  untilServing(gone?: readonly number[]): Promise<number[]>
}

const FOLDER = fileURLToPath(new URL('../../../examples/demo/', import.meta.url))
const COMMAND = fileURLToPath(new URL('../../../packages/fastify-ah/bin/fastify-ah.js', import.meta.url))

/** Runs the demo's app by `mode` (`start`, `start cluster`), without the embedded store. */
export async function runDemo(mode: string, env: Record<string, string>, scope: TestScope): Promise<SpawnedNode> {
  const port = String(await freePort())
  const args = [...mode.split(' '), 'app.js', '--host', '127.0.0.1', '--port', port]
  return spawnNode(COMMAND, { args, cwd: FOLDER, env, unhandledErrors: 'forbidden' }, scope)
}

/** Starts the demo with the command line of `npm run demo`, on a free port. */
export async function startDemo(scope: TestScope): Promise<Demo> {
  const port = await freePort()
  const args = [
    'start',
    'cluster',
    'app.js',
    '--workers',
    '2',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--embedded',
  ]
  const process = spawnNode(COMMAND, { args, cwd: FOLDER }, scope)
  const url = `http://127.0.0.1:${port}`
  const demo: Demo = {
    port,
    url,
    process,
    async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await fetch(`${url}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      return (await response.json()) as T
    },
    state: async () => JSON.parse((await httpGet({ port }, { path: '/state' })).body) as DemoState,
    async untilServing(gone = []) {
      const { workers } = await until(
        async () => {
          const state = await demo.state()
          const serving = state.workers.filter((worker) => worker.state === 'started' && !gone.includes(worker.pid))
          return serving.length === 2 && state.workers.length === 2 && state
        },
        { what: 'two workers serve', deadlineMs: 20_000 },
      )
      return workers.map((worker) => worker.pid)
    },
  }
  await process.waitForLine(/cluster equilibrium state reached with 2 workers/, 30_000)
  return demo
}
