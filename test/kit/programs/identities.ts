// Owns a program that prints its identity twice, then that of a thread and of a process that it starts.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { isMainThread, Worker } from 'node:worker_threads'
import { identity } from 'fastify-ah-kit'

console.log(JSON.stringify(identity()))

if (isMainThread && process.argv[2] !== 'inner') {
  console.log(JSON.stringify(identity()))
  const file = new URL(import.meta.url)
  await once(new Worker(file, { argv: ['inner'] }), 'exit')
  await once(fork(file, ['inner']), 'exit')
}
