// The root instance of a Fastify app, and the things that are kept once per app on it.
import type { FastifyInstance } from 'fastify'

/**
 * The root of the app that `instance` belongs to. Fastify makes a child scope by `Object.create(parent)`, so the
 * root is the last one before the plain object prototype.
 */
export function rootOf(instance: FastifyInstance): FastifyInstance {
  let root: FastifyInstance = instance
  for (;;) {
    const parent: unknown = Object.getPrototypeOf(root)
    if (parent === null || parent === Object.prototype) return root
    root = parent as FastifyInstance
  }
}

/**
 * What is kept under `Symbol.for('fastify-ah.<name>')` on the app's root, made by `make` at the first call. A
 * registered symbol, so that two installed copies of this package still find the same thing.
 */
export function oncePerApp<T>(instance: FastifyInstance, name: string, make: (root: FastifyInstance) => T): T {
  const root = rootOf(instance)
  const symbol = Symbol.for(`fastify-ah.${name}`)
  const kept = root as unknown as Record<symbol, T | undefined>
  const found = kept[symbol]
  if (found !== undefined) return found
  const made = make(root)
  Object.defineProperty(root, symbol, { value: made })
  return made
}

/** What another plugin left under `Symbol.for('fastify-ah.<name>')` on the app's root, or undefined. */
export function foundInApp<T>(instance: FastifyInstance, name: string): T | undefined {
  return (rootOf(instance) as unknown as Record<symbol, T | undefined>)[Symbol.for(`fastify-ah.${name}`)]
}
