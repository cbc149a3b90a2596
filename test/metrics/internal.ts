// Owns the way to modules of the package that are none of its entries.

/** A module of fastify-ah-metrics, compiled. */
export async function internal<Module>(name: string): Promise<Module> {
  return (await import(new URL(`../../../packages/metrics/dist/${name}.js`, import.meta.url).href)) as Module
}
