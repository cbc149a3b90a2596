// A process that serves a store until it is told to end: by IPC, a signal, or the wish in its first argument.
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { connect } from 'node:net'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { takeDescriptors } from './descriptors.ts'

// The widest there is: what the store makes is to be narrow all the same.
process.umask(0)
const [, , wish = 'serve'] = process.argv
const store = await startEmbeddedStore()
console.log(`directory ${store.directory}`)

const ends: Record<string, () => unknown> = {
  serve: () => process.on('message', () => store.close().then(() => process.disconnect())),
  // Nothing but the store is left.
  idle: () => undefined,
  // Only the store's end of a connection is left.
  connected: async () => {
    process.channel?.unref()
    await once(connect(store.path).unref(), 'connect')
    console.log('connected')
  },
  // No file descriptor is left to accept a connection with, until a message comes.
  exhausted: () => {
    const taken = takeDescriptors()
    process.send?.('exhausted')
    process.on('message', () => {
      for (const descriptor of taken.splice(0)) closeSync(descriptor)
      console.log('recovered')
    })
  },
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('on purpose')
  },
  close: async () => {
    await Promise.all([store.close(), store.close()])
    await store.close()
    console.log('closed')
  },
}
await ends[wish]?.()
