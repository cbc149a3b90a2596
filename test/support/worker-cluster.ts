// Owns a cluster of two workers that run an app of a test, by the real command.
import { fileURLToPath } from 'node:url'
import { isAlive } from './process-tree.ts'
import type { TestScope } from './scope.ts'
import { type SpawnedNode, spawnNode } from './spawned-node.ts'
import { tempDir } from './temp-dir.ts'
import { until } from './until.ts'

/** How the cluster is started. */
export interface WorkersOptions {
  /** A compiled module whose default export is a plugin. */
  readonly app: URL
  /** URL of its Redis. */
  readonly redis: string
  /** Where it listens: the command's flags. */
  readonly listen: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A started cluster; ends with the test. */
export interface Workers {
  readonly process: SpawnedNode
  /** Pids of the workers that serve, once there are two that are none of `gone`. */
  untilServing(gone?: readonly number[]): Promise<number[]>
  /** All workers are replaced, one after the other; resolves when the new ones serve, and the old ones are gone. */
  reload(): Promise<void>
}

const command = fileURLToPath(new URL('../../../packages/fastify-ah/bin/fastify-ah.js', import.meta.url))

/** Starts two workers and answers at once; see {@link Workers.untilServing}. */
export async function startWorkers(options: WorkersOptions, scope: TestScope): Promise<Workers> {
  const { app, redis, listen, env } = options
  const pids = tempDir(scope).path
  const flags = ['--workers', '2', ...listen, '--pids', pids, '--no-embedded']
  const args = ['start', 'cluster', fileURLToPath(app), ...flags]
  const process = spawnNode(command, { args, env: { ...env, REDIS_URL: redis } }, scope)
  const serving = (): number[] => {
    const started = process.lines().filter((line) => line.includes('"msg":"worker started"'))
    const pids = started.map((line) => Number((JSON.parse(line) as { workerPid: number }).workerPid))
    return pids.filter((pid) => isAlive(pid))
  }
  const untilServing = async (gone: readonly number[] = []): Promise<number[]> => {
    const isThere = (): boolean => serving().filter((pid) => !gone.includes(pid)).length === 2 && serving().length === 2
    await until(isThere, { deadlineMs: 30_000, what: 'two workers serve' })
    return serving()
  }
  return {
    process,
    untilServing,
    async reload() {
      const before = await untilServing()
      process.kill('SIGUSR2')
      await untilServing(before)
    },
  }
}
