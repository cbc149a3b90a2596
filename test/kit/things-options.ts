// Owns options of a package that does not exist, with one of every kind.
import assert from 'node:assert/strict'
import { AH_KIT_OPTIONS, type CheckedOptions, defineOptions } from 'fastify-ah-kit'

interface Client {
  send(): void
}

/** What the options are when they are checked. */
export interface Parsed {
  readonly client?: Client
  readonly host?: string
  readonly level: string
  readonly ttlMs: number
  readonly limits: { readonly perSecond: number; readonly burst: number; readonly inner: { readonly deep: boolean } }
  readonly queues?: readonly string[]
  readonly nodes?: readonly { readonly host: string; readonly port: number }[]
  readonly token?: string
  readonly onEvent?: () => void
  readonly any?: unknown
}

const isFunction = (value: unknown) => typeof value === 'function'
export const options: CheckedOptions<Parsed> = defineOptions<Parsed>({
  package: 'fastify-ah-things',
  properties: {
    client: {
      description: 'a client',
      check: {
        expected: 'a client with a method send',
        accepts: (value) => typeof (value as Client | null)?.send === 'function',
      },
    },
    host: { description: 'a host', type: 'string', minLength: 1, maxLength: 5, pattern: '^h' },
    level: { description: 'a level', type: 'string', enum: ['low', 'high'], default: 'low' },
    ttlMs: { description: 'a duration', type: 'integer', minimum: 1, maximum: 1000, default: 10 },
    limits: {
      description: 'limits',
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        perSecond: { description: 'a rate', type: 'number', exclusiveMinimum: 0, default: 20 },
        burst: { description: 'a burst', type: 'integer', default: 40 },
        inner: {
          description: 'more',
          type: 'object',
          additionalProperties: false,
          default: {},
          properties: { deep: { description: 'deep', type: 'boolean', default: true } },
        },
      },
    },
    queues: { description: 'names', type: 'array', minItems: 1, maxItems: 2, items: { type: 'string' } },
    nodes: {
      description: 'nodes',
      type: 'array',
      items: {
        type: 'object',
        required: ['host'],
        additionalProperties: false,
        properties: { host: { type: 'string' }, port: { type: 'integer', default: 6379 } },
      },
    },
    token: { description: 'a token', type: 'string', minLength: 32, secret: true },
    onEvent: { description: 'a listener', check: { expected: 'a function', accepts: isFunction } },
    any: { description: 'anything' },
  },
  renamed: { lockDuration: 'ttlMs', cookieKey: 'is gone: use the option "token"' },
})

/** The message that wrong options get, without the package's name. */
export function messageOf(input: unknown): string {
  let message = ''
  assert.throws(
    () => options.parse(input),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'AH_KIT_OPTIONS')
      assert.ok(error instanceof AH_KIT_OPTIONS)
      message = error.message
      return true
    },
  )
  assert.ok(message.startsWith('fastify-ah-things: '), message)
  return message.slice('fastify-ah-things: '.length)
}
