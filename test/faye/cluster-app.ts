// Owns a cluster of two workers that serve faye's clients, run by the real command.
import { fileURLToPath } from 'node:url'
import { isAlive, type SpawnedNode, spawnNode, type TestScope, tempDir, until } from 'fastify-ah-test-support'

export interface FayeCluster {
  readonly process: SpawnedNode
  /** Pids of the workers that serve, once there are two that are none of `gone`. */
  untilServing(gone?: readonly number[]): Promise<number[]>
  /** All workers are replaced, one after the other; resolves when the new ones serve. */
  reload(): Promise<void>
}

const command = fileURLToPath(new URL('../../../packages/fastify-ah/bin/fastify-ah.js', import.meta.url))
const app = fileURLToPath(new URL('./programs/app.js', import.meta.url))

/** Listens as the flags say. */
export async function startCluster(redis: string, listen: readonly string[], scope: TestScope): Promise<FayeCluster> {
  const pids = tempDir(scope).path
  const args = ['start', 'cluster', app, '--workers', '2', ...listen, '--pids', pids, '--no-embedded']
  const process = spawnNode(command, { args, env: { REDIS_URL: redis } }, scope)
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
