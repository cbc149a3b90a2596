// Contender: node-resque. As many of its workers as jobs at a time, all there at once: its MultiWorker adds one each half
// second. They poll, so how soon a job starts is a matter of `timeout` alone and is not measured.
import { Redis } from 'ioredis'
import resque from 'node-resque'
import { contendTasks, inputs } from './tasks-drive.js'

await contendTasks(async (url) => {
  const redis = new Redis(url)
  const connection = { redis }
  const queue = new resque.Queue({ connection })
  await queue.connect()
  return {
    add: () => queue.enqueue('default', 'job', [inputs]),
    work: async (concurrency, onJob) => {
      const jobs = { job: { perform: async () => onJob() } }
      const workers = Array.from(
        { length: concurrency },
        (_, index) => new resque.Worker({ connection, queues: ['default'], name: `w:${index}`, timeout: 10 }, jobs),
      )
      for (const worker of workers) await worker.connect()
      for (const worker of workers) await worker.start()
      return () => Promise.all(workers.map((worker) => worker.end()))
    },
    close: async () => {
      redis.disconnect()
    },
  }
})
