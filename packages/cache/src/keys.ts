// The Redis keys of one namespace.
import type { KeySpace } from 'fastify-ah-kit/redis'

// `cache` and `lock` are ActionHero's. The calls keep a repeated command from being applied twice.
const kinds = {
  value: 'cache',
  lock: 'lock',
  lockCall: 'lock-call',
  destroyCalls: 'destroy-call',
  changeCall: 'list-call',
  fence: 'fence',
  produce: 'produce',
  tag: 'tag',
  gathered: 'dump-part',
  localProof: 'local-proof',
} as const

// Between a namespace and what is in it; no namespace has it in its name, so `a:b` can only be b within a.
const separator = ':'

/** Names the keys of what lies in one namespace; all keys of one name share a slot. */
export class CacheKeys {
  readonly #space: KeySpace
  readonly #prefix: string

  constructor(space: KeySpace, prefix = '') {
    this.#space = space
    this.#prefix = prefix
  }

  /** The keys of the namespace `name` inside this one. */
  below(name: string): CacheKeys {
    return new CacheKeys(this.#space, this.#prefix + name + separator)
  }

  /** A value or a list. */
  value(name: string): string {
    return this.#space.key(kinds.value, this.#prefix + name)
  }

  lock(name: string): string {
    return this.#space.key(kinds.lock, this.#prefix + name)
  }

  /** Which call took the lock; ends with the lock. */
  lockCall(name: string): string {
    return this.#space.key(kinds.lockCall, this.#prefix + name)
  }

  /** Each process's last call that destroyed the value. */
  destroyCalls(name: string): string {
    return this.#space.key(kinds.destroyCalls, this.#prefix + name)
  }

  /** What the keys of the repeat guards' records of a list or counter begin with. */
  changeCall(name: string): string {
    return this.#space.key(kinds.changeCall, this.#prefix + name)
  }

  /** The last fencing token of a key. */
  fence(name: string): string {
    return this.#space.key(kinds.fence, this.#prefix + name)
  }

  /** Who produces the value just now, or why that failed. */
  produce(name: string): string {
    return this.#space.key(kinds.produce, this.#prefix + name)
  }

  /** The version of a tag; tags of a namespace are its own. */
  tag(name: string): string {
    return this.#space.key(kinds.tag, this.#prefix + name)
  }

  /** Where the parts of a list gather while a dump is read, for one reader. */
  gathered(name: string, reader: string): string {
    return this.#space.key(`${kinds.gathered}:${reader}`, this.#prefix + name)
  }

  /** The SCAN pattern of values and lists whose names begin with `prefix`. */
  valuePattern(prefix: string): string {
    return this.#space.pattern(kinds.value, this.#prefix + prefix)
  }

  /** Likewise, of the records of those who produce values. */
  producePattern(prefix: string): string {
    return this.#space.pattern(kinds.produce, this.#prefix + prefix)
  }

  /** Likewise, of locks. */
  lockPattern(prefix: string): string {
    return this.#space.pattern(kinds.lock, this.#prefix + prefix)
  }

  /** The name of a key that {@link valuePattern} matches. */
  nameOfValue(key: string): string {
    return this.#space.nameOf(kinds.value, key).slice(this.#prefix.length)
  }

  /** Likewise, of {@link lockPattern}. */
  nameOfLock(key: string): string {
    return this.#space.nameOf(kinds.lock, key).slice(this.#prefix.length)
  }

  /** The name in the cache that all namespaces are in. */
  fullName(name: string): string {
    return this.#prefix === '' ? name : this.#prefix + name
  }

  /** What the keys of all values and lists begin with, whatever their namespace. */
  get valuePrefix(): string {
    return `${this.#space.prefix}${kinds.value}:`
  }

  /** Likewise, of all locks. */
  get lockPrefix(): string {
    return `${this.#space.prefix}${kinds.lock}:`
  }

  /** Likewise, of the versions of all tags. */
  get tagPrefix(): string {
    return `${this.#space.prefix}${kinds.tag}:`
  }

  /** What the keys begin with by which local tiers find out whether they hear of changes. */
  get localProofPrefix(): string {
    return `${this.#space.prefix}${kinds.localProof}:`
  }

  /** What ActionHero, which knows neither namespaces nor tags, puts before a value's name. */
  get plainValuePrefix(): string {
    return `${this.#space.prefix}${kinds.value}:`
  }
}
