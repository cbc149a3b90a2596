// What is said of a wrong option: its name, what was expected, what was got.
import type { ErrorObject } from 'ajv'
import { nearest } from './nearest.ts'
import type { OptionsDefinition, PassedByReference } from './options-definition.ts'

// Longer texts are cut in messages.
const shownLength = 100

/** The sentence for one of Ajv's errors. */
export function explain(error: ErrorObject, definition: OptionsDefinition): string {
  // A JSON pointer, with its two escapes.
  const path = error.instancePath
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
  if (error.keyword === 'additionalProperties') {
    return explainUnknown(path, String(error.params['additionalProperty']), error, definition)
  }
  if (error.keyword === 'required') {
    return `option "${joined(path, String(error.params['missingProperty']))}" is required`
  }
  const isSecret = error.parentSchema?.['secret'] === true
  return expectedGot(path, path === '' ? 'an object of options' : expected(error), error.data, isSecret)
}

/** The sentence for a value that is not what was expected. */
export function expectedGot(path: string, what: string, value: unknown, isSecret = false): string {
  const of = path === '' ? '' : `option "${path}": `
  return `${of}expected ${what}, got ${isSecret ? `a ${typeof value} (not shown)` : show(value)}`
}

function explainUnknown(path: string, name: string, error: ErrorObject, definition: OptionsDefinition): string {
  const { renamed = {} } = definition
  const full = joined(path, name)
  if (path === '' && Object.hasOwn(renamed, name)) {
    const instead = renamed[name] as string
    return `option "${full}" ${instead.includes(' ') ? instead : `is now called "${instead}"`}`
  }
  const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
  const close = nearest(name, known)
  return `unknown option "${full}"${close === undefined ? `; there are: ${known.join(', ')}` : `, did you mean "${close}"?`}`
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function expected({ keyword, schema, params, message, parentSchema }: ErrorObject): string {
  const limit = String(params['limit'])
  switch (keyword) {
    case 'check':
      return (schema as PassedByReference).expected
    case 'type':
      return [params['type']].flat().join(' or ')
    case 'enum':
      return `one of ${(schema as unknown[]).map(show).join(', ')}`
    case 'pattern':
      return (parentSchema?.['expected'] as string | undefined) ?? `a text like ${String(schema)}`
    case 'minLength':
      return schema === 1 ? 'a text that is not empty' : `at least ${limit} characters`
    case 'maxLength':
      return `at most ${limit} characters`
    case 'minItems':
      return schema === 1 ? 'a list that is not empty' : `at least ${limit} items`
    case 'maxItems':
      return `at most ${limit} items`
  }
  if ('comparison' in params) return `a value ${String(params['comparison'])} ${limit}`
  return `what ${keyword} asks for (${message})`
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') {
    return value.length <= shownLength ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, shownLength))}…`
  }
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return 'a list'
  const name: unknown = value.constructor?.name
  return typeof name !== 'string' || name === 'Object' ? 'an object' : `an instance of ${name}`
}
