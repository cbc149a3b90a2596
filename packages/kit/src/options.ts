// Options: one schema per package gives type, default, check, and the README's table.
import { Ajv } from 'ajv'
import { AH_KIT_OPTIONS } from './errors.ts'
import { copyForChecking, freezeChecked } from './options-copy.ts'
import type { OptionsDefinition, PassedByReference } from './options-definition.ts'
import { explain } from './options-message.ts'

/** A package's checked options. */
export interface CheckedOptions<T> {
  readonly definition: OptionsDefinition
  /**
   * A frozen copy with the defaults filled in; the input is not changed. Members that are undefined count as not given.
   * Objects that the schema looks into and lists are copied, all else is passed by reference.
   * Throws the definition's error, which says of each wrong option: name, expected, got.
   */
  parse(input: unknown): Readonly<T>
}

/** Makes the checker of a package's options; `T` is what `parse` answers, defaults filled in. */
export function defineOptions<T extends object>(definition: OptionsDefinition): CheckedOptions<T> {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, allowUnionTypes: true, strict: true, verbose: true })
  ajv.addKeyword({ keyword: 'check', schemaType: 'object', validate: checkByReference, errors: false })
  ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' })
  ajv.addKeyword({ keyword: 'expected', schemaType: 'string' })
  const schema = {
    type: 'object',
    properties: definition.properties,
    required: definition.required ?? [],
    additionalProperties: false,
  }
  const validate = ajv.compile(schema)
  const Wrong = definition.error ?? AH_KIT_OPTIONS
  return {
    definition,
    parse(input) {
      const { copy, wrong } = copyForChecking(schema, input === undefined ? {} : input)
      const isValid = validate(copy)
      if (isValid && wrong.length === 0) {
        freezeChecked(schema, copy)
        return copy as Readonly<T>
      }
      const lines = new Set([...wrong, ...(validate.errors ?? []).map((error) => explain(error, definition))])
      throw new Wrong(`${definition.package}: ${[...lines].join('; ')}`)
    },
  }
}

function checkByReference({ accepts }: PassedByReference, value: unknown): boolean {
  return accepts(value)
}
