// Owns the way to modules of the package that are none of its entries.

/** A module of fastify-ah-pubsub, compiled. */
export async function internal<Module>(name: string): Promise<Module> {
  return (await import(new URL(`../../../packages/pubsub/dist/${name}.js`, import.meta.url).href)) as Module
}
