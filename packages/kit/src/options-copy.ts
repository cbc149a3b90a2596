// Options are copied before they are checked, since Ajv writes defaults into what it checks.
import { expectedGot } from './options-message.ts'

/** A schema as far as copying looks at it. */
interface Schema {
  readonly type?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: unknown
}

/** The copy, and what cannot be copied because it is no plain object. */
export interface OptionsCopy {
  readonly copy: unknown
  readonly wrong: readonly string[]
}

/**
 * Copies the objects that the schema looks into, without members that are undefined (a missing argument means the
 * default), and lists. Everything else stays the same reference. An instance of a class in the place of options is
 * refused: what it keeps behind accessors would be lost without a word.
 */
export function copyForChecking(schema: unknown, input: unknown): OptionsCopy {
  const wrong: string[] = []
  return { copy: copied(schema as Schema, input, '', wrong), wrong }
}

/** Freezes what {@link copyForChecking} copied. */
export function freezeChecked(schema: unknown, value: unknown): void {
  const { items } = schema as Schema
  if (isList(schema as Schema, value)) {
    for (const inner of value) freezeChecked(items ?? {}, inner)
    Object.freeze(value)
  } else if (isLookedInto(schema as Schema, value)) {
    for (const [key, inner] of Object.entries(value)) freezeChecked(memberSchema(schema as Schema, key), inner)
    Object.freeze(value)
  }
}

function copied(schema: Schema, value: unknown, path: string, wrong: string[]): unknown {
  if (isList(schema, value)) {
    return value.map((inner, index) => copied((schema.items ?? {}) as Schema, inner, `${path}.${index}`, wrong))
  }
  if (!isLookedInto(schema, value)) return value
  if (!isPlain(value)) {
    wrong.push(expectedGot(path, 'a plain object', value))
    return {}
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(
    entries.map(([key, inner]) => {
      const innerPath = path === '' ? key : `${path}.${key}`
      return [key, copied(memberSchema(schema, key), inner, innerPath, wrong)]
    }),
  )
}

/** Not by plain access: `constructor` and `__proto__` are members of every object. */
function memberSchema({ properties = {} }: Schema, key: string): Schema {
  return Object.hasOwn(properties, key) ? (properties[key] as Schema) : {}
}

function isList({ type }: Schema, value: unknown): value is unknown[] {
  return Array.isArray(value) && [type].flat().includes('array')
}

function isLookedInto({ properties }: Schema, value: unknown): value is object {
  return properties !== undefined && typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
