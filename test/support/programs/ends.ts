// A program that ends in the way that its first argument names. With a second argument it does so in a forked child.
import { fork } from 'node:child_process'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'

const ways: Record<string, () => unknown> = {
  well: () => undefined,
  'with exit code 3': () => process.exit(3),
  'by a throw': () => {
    throw new Error('thrown')
  },
  'by a later throw': () =>
    setImmediate(() => {
      throw new TypeError('thrown later')
    }),
  'by a throw of undefined': () => {
    throw undefined
  },
  'by a rejection': () => void Promise.reject(new Error('rejected')),
  'by a rejection with undefined': () => void Promise.reject(undefined),
  'by a throw of something that cannot be shown': () => {
    throw {
      [inspect.custom]() {
        throw new Error('evil')
      },
    }
  },
  'well after a rejection that its own listener took': () => {
    process.on('unhandledRejection', () => console.log('listener took it'))
    void Promise.reject(new Error('rejected'))
  },
  'well after a throw that its own listener took': () => {
    process.on('uncaughtException', () => console.log('listener took it'))
    throw new Error('thrown')
  },
  'well after a rejection that was handled in time': () => Promise.reject(new Error('rejected')).catch(() => undefined),
  'by a throw in a thread': () => new Worker("throw new Error('thrown in a thread')", { eval: true }),
  'never, with a child': () => {
    fork(import.meta.filename, ['never'])
    setInterval(() => undefined, 1_000)
  },
  never: () => {
    console.log(`pid ${process.pid}`)
    setInterval(() => undefined, 1_000)
  },
}

const [way, inFork] = process.argv.slice(2)
if (inFork) fork(import.meta.filename, [way!]).once('exit', () => console.log('the fork has ended'))
else ways[way!]!()
