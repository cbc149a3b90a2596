// What startEmbeddedStore may be told, and the check of it.

import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { AH_EMBEDDED_OPTIONS } from './errors.ts'

/** Options of {@link startEmbeddedStore}. */
export interface EmbeddedStoreOptions {
  /** The parent folder, in which the store makes a private one. Default: `os.tmpdir()`. */
  readonly directory?: string | undefined
}

const KNOWN = ['directory']

/** The absolute parent folder. Throws AH_EMBEDDED_OPTIONS. */
export function parentDirectory(options: unknown): string {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new AH_EMBEDDED_OPTIONS(`fastify-ah-embedded: expected an object of options, got ${show(options)}`)
  }
  const unknown = Object.keys(options).filter((name) => !KNOWN.includes(name))
  if (unknown.length > 0) {
    const names = unknown.map((name) => `"${name}"`).join(', ')
    throw new AH_EMBEDDED_OPTIONS(`fastify-ah-embedded: unknown option ${names}; there are: ${KNOWN.join(', ')}`)
  }
  const { directory = tmpdir() } = options as { directory?: unknown }
  if (typeof directory !== 'string' || directory === '') {
    throw new AH_EMBEDDED_OPTIONS(
      `fastify-ah-embedded: option "directory": expected the path of a folder, got ${show(directory)}`,
    )
  }
  return resolve(directory)
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'string' ? JSON.stringify(value) : value === null ? 'null' : `a ${typeof value}`
}
