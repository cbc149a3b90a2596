// A consumer of fastify-ah-embedded: what its types promise, and what they refuse.
import { type EmbeddedStore, type EmbeddedStoreOptions, startEmbeddedStore } from 'fastify-ah-embedded'

const options: EmbeddedStoreOptions = {}
const store: EmbeddedStore = await startEmbeddedStore(options)
const url: string = store.url
// @ts-expect-error: the path of the socket is not to be written
store.path = '/tmp/other'
await store.close()

export { url }
