// Checking data against a JSON schema, without changing it.
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { toError } from 'fastify-ah-kit'
import { AH_PUBSUB_OPTIONS, AH_PUBSUB_SCHEMA } from './errors.ts'
import { shown } from './shown.ts'

/** Says what is wrong with the data, in words; undefined if nothing is. */
export type Check = (data: unknown) => string | undefined

/**
 * The check of a schema; `what` is what messages call the data. Throws `AH_PUBSUB_SCHEMA` for a schema that is none. Data
 * is taken as it is: no coercion, no defaults, nothing removed.
 */
function checkOf(schema: object, what: string): Check {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true })
  // Its types describe CommonJS, which Node's interop has unwrapped already.
  ;(addFormats as unknown as (ajv: Ajv) => void)(ajv)
  let validate: ReturnType<Ajv['compile']>
  try {
    validate = ajv.compile(schema)
  } catch (thrown) {
    const cause = toError(thrown)
    throw new AH_PUBSUB_SCHEMA(`the schema of ${what} is no JSON schema: ${cause.message}`, { cause })
  }
  return (data) => (validate(data) ? undefined : ajv.errorsText(validate.errors, { dataVar: what }))
}

/** The check in options `{ schema }`, if there is one. Throws `AH_PUBSUB_OPTIONS` for anything else. */
export function checkIn(options: unknown, what: string): Check | undefined {
  if (options === undefined) return undefined
  const isPlain = typeof options === 'object' && options !== null
  const names = isPlain ? Object.keys(options) : []
  const { schema } = isPlain ? (options as { schema?: unknown }) : {}
  const isSchema = schema === undefined || (typeof schema === 'object' && schema !== null)
  if (!isPlain || names.some((name) => name !== 'schema') || !isSchema) {
    throw new AH_PUBSUB_OPTIONS(`${what}: expected the options { schema }, a JSON schema, got ${shown(options)}`)
  }
  return schema === undefined ? undefined : checkOf(schema as object, what)
}
