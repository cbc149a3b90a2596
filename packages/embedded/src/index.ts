// What the package gives out.

export * from './errors.ts'
export type { EmbeddedStoreOptions } from './options.ts'
export { type EmbeddedStore, startEmbeddedStore } from './store.ts'
