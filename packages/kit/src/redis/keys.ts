// The names of keys and channels: ActionHero's off Cluster, tagged on it.
import calculateSlot from 'cluster-key-slot'
import type { OptionSchema } from '../options-definition.ts'

/** The `prefix` property for a plugin's options. */
export const prefixOptionSchema: OptionSchema = {
  description: 'what all keys and channels begin with: apps with different prefixes on one Redis never meet',
  default: 'actionhero:',
  type: 'string',
  check: {
    expected: 'a text without spaces, braces, glob characters or control characters, such as "shop:"',
    accepts: (value) => typeof value !== 'string' || isPrefix(value),
  },
}

/** How keys are named. */
export interface KeySpaceOptions {
  readonly prefix: string
  /** On Redis Cluster: keys of one name share a slot. */
  readonly isTagged: boolean
}

/**
 * Names and finds keys `<prefix><kind>:<name>`, on Cluster `<prefix><kind>:{tag}:<name>`. The tag is a hash of the
 * name, not the name: a raw `{name}` would break for names that begin with `}`. Keys of different kinds and one name
 * share their tag, so that one script can touch them.
 */
export class KeySpace {
  readonly prefix: string
  readonly #isTagged: boolean

  constructor({ prefix, isTagged }: KeySpaceOptions) {
    this.prefix = prefix
    this.#isTagged = isTagged
  }

  /** The key of `name`. */
  key(kind: string, name: string): string {
    if (!this.#isTagged) return `${this.prefix}${kind}:${name}`
    return `${this.prefix}${kind}:{${tagOf(name)}}:${name}`
  }

  /** The name in a key that {@link key} made. */
  nameOf(kind: string, key: string): string {
    const rest = key.slice(this.prefix.length + kind.length + 1)
    return this.#isTagged ? rest.slice(rest.indexOf('}:') + 2) : rest
  }

  /** The SCAN pattern of the keys of a kind whose names begin with `namePrefix`, every character literal. */
  pattern(kind: string, namePrefix = ''): string {
    // As many characters as a tag has: a `*` would reach into names that hold `}:`.
    const tag = this.#isTagged ? '{???}:' : ''
    return `${literal(`${this.prefix}${kind}:`)}${tag}${literal(namePrefix)}*`
  }
}

/** The text as a Redis glob that matches nothing else. */
export function literal(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}

// One of 16384 texts of three characters, evenly spread: the slot that the name itself would have.
function tagOf(name: string): string {
  return calculateSlot(name).toString(36).padStart(3, '0')
}

function isPrefix(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
  return text !== '' && !/[\s{}*?[\]\\\u0000-\u001f\u007f]/.test(text)
}
