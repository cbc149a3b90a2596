// Contender: bullmq. Finished jobs are removed, as its manual advises for throughput: kept ones would cost it more.
import { Queue, Worker } from 'bullmq'
import { contendTasks, inputs } from './tasks-drive.js'

await contendTasks(async (url) => {
  const { hostname: host, port, pathname } = new URL(url)
  const connection = { host, port: Number(port), db: Number(pathname.slice(1) || 0), maxRetriesPerRequest: null }
  const options = { removeOnComplete: true, removeOnFail: true }
  const queue = new Queue('jobs', { connection })
  await queue.waitUntilReady()
  return {
    add: () => queue.add('job', inputs, options),
    addBulk: async (count) => {
      for (let left = count; left > 0; left -= 1_000) {
        const length = Math.min(left, 1_000)
        await queue.addBulk(Array.from({ length }, () => ({ name: 'job', data: inputs, opts: options })))
      }
    },
    work: async (concurrency, onJob) => {
      const worker = new Worker('jobs', async () => void onJob(), { connection, concurrency })
      await worker.waitUntilReady()
      return () => worker.close()
    },
    close: () => queue.close(),
  }
})
