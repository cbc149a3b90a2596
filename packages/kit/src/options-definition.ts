// What a package says about its options.
import type { CodedErrorConstructor } from './errors.ts'

/** A value that is checked by a predicate and passed by reference: a client, a function, a class instance. */
export interface PassedByReference {
  /** What is wanted, in words: "an ioredis client". */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
}

/** A JSON schema of one option; `description` and `default` go into the README's table. */
export interface OptionSchema {
  readonly description: string
  readonly default?: unknown
  readonly type?: string | readonly string[]
  /** Instead of a JSON type: what cannot be said in JSON schema. */
  readonly check?: PassedByReference
  /** What a `pattern` wants, in words: "a name without a slash". */
  readonly expected?: string
  /** The value is never shown in a message: a token, a password. */
  readonly secret?: true
  readonly [keyword: string]: unknown
}

/** What `defineOptions` needs to know. */
export interface OptionsDefinition {
  /** The npm name, for messages. */
  readonly package: string
  /** Error thrown for wrong options; default `AH_KIT_OPTIONS`. */
  readonly error?: CodedErrorConstructor
  readonly properties: Readonly<Record<string, OptionSchema>>
  readonly required?: readonly string[]
  /** Old names and what to say of them: the new option's name, or a sentence. */
  readonly renamed?: Readonly<Record<string, string>>
}

/** The `decorator` property for a plugin's options. */
export function decoratorOptionSchema(name: string): OptionSchema {
  return {
    description: 'name of the decorator; a second registration in one app needs another one',
    type: 'string',
    pattern: '^[A-Za-z_$][\\w$]*$',
    default: name,
  }
}
