// How long a cluster of one worker does not answer after that worker was killed.
import { httpGet, isAlive, processTree, until } from 'fastify-ah-test-support'

/** Kills the only worker below `pid` and answers the ms until its replacement has answered a request. */
export async function replacementMs({ pid, port }) {
  const [worker] = processTree(pid)
  const start = performance.now()
  process.kill(worker, 'SIGKILL')
  await until(() => !isAlive(worker), { what: 'the worker is dead', everyMs: 1 })
  // Where nobody listens meanwhile the connection is refused: then the client asks again.
  await until(async () => (await httpGet({ port })).status === 200, { what: 'an answer', everyMs: 2 })
  return performance.now() - start
}
