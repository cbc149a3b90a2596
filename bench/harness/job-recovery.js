// How long a job is gone whose process was killed.
import { until } from 'fastify-ah-test-support'

/** Enqueues a job, kills who runs it, and waits until another does; in ms. */
export async function jobRecoveryMs(redis, deadlineMs) {
  await redis.del('bench:first', 'bench:again')
  await redis.sadd('resque:queues', 'default')
  // As node-resque writes it; the processes look for it by themselves.
  await redis.rpush('resque:queue:default', JSON.stringify({ class: 'job', queue: 'default', args: [{}] }))
  const pid = Number(await until(() => redis.get('bench:first'), { what: 'the job', deadlineMs: 10_000 }))
  const start = performance.now()
  process.kill(pid, 'SIGKILL')
  await until(() => redis.get('bench:again'), { what: 'the job in another process', deadlineMs, everyMs: 2 })
  return performance.now() - start
}
