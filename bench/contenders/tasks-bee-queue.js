// Contender: bee-queue, set up for speed as its manual says: no events, finished jobs removed.
import Queue from 'bee-queue'
import { contendTasks, inputs } from './tasks-drive.js'

await contendTasks(async (redis) => {
  const queue = new Queue('jobs', { redis, isWorker: false, getEvents: false, sendEvents: false, storeJobs: false })
  await queue.ready()
  return {
    add: () => queue.createJob(inputs).save(),
    addBulk: async (count) => {
      for (let left = count; left > 0; left -= 1_000) {
        const length = Math.min(left, 1_000)
        await queue.saveAll(Array.from({ length }, () => queue.createJob(inputs)))
      }
    },
    work: async (concurrency, onJob) => {
      const options = { redis, getEvents: false, sendEvents: false, storeJobs: false, removeOnSuccess: true }
      const worker = new Queue('jobs', options)
      await worker.ready()
      worker.process(concurrency, async () => onJob())
      return () => worker.close(1_000)
    },
    close: () => queue.close(1_000),
  }
})
