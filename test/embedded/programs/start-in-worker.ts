// A process that serves a store from a worker thread, where the file mode mask cannot be changed.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { startEmbeddedStore } from 'fastify-ah-embedded'

if (isMainThread) {
  process.umask(0)
  const worker = new Worker(new URL(import.meta.url), { workerData: 'store' })
  const [directory] = await once(worker, 'message')
  console.log(`directory ${directory}`)
  process.once('message', () => worker.postMessage('end'))
  await once(worker, 'exit')
  process.disconnect()
} else if (workerData === 'store') {
  const store = await startEmbeddedStore()
  parentPort?.postMessage(store.directory)
  parentPort?.once('message', () => process.exit())
}
