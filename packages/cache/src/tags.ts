// Tags: what was saved under one is gone at once when its version changes.
import { checkEach } from './call-options.ts'
import type { TagVersion } from './entry.ts'
import { checkKey } from './key.ts'
import { ownWrite } from './local-tier.ts'
import type { Scope } from './scope.ts'
import { raiseTag } from './scripts/raise-tag.ts'

/**
 * An entry carries the versions that its tags had before it was made; a tag that was never invalidated has version 0. So
 * to invalidate is one write, however many values there are, and those are gone for everybody who reads them afterwards.
 */
export class Tags {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** The versions as they are now; what is asked for in one tick leaves together. */
  async versions(tags: readonly string[]): Promise<TagVersion[]> {
    const { traffic, keys, local } = this.#scope
    return Promise.all(
      tags.map(async (tag) => {
        const key = keys.tag(tag)
        const ask = async (): Promise<number> => {
          // A tag has no lock: its key stands for both.
          const [version] = await traffic.read(key, key)
          return Number(version ?? 0)
        }
        return [tag, await (local === undefined ? ask() : local.versionOf(key, ask))] as const
      }),
    )
  }

  /** Whether this process's memory knows that none of them was invalidated since. */
  areKnown(tags: readonly TagVersion[]): boolean {
    const { keys, local } = this.#scope
    return tags.every(([tag, version]) => local?.version(keys.tag(tag)) === version)
  }

  /** Whether none of them was invalidated since. */
  async areCurrent(tags: readonly TagVersion[]): Promise<boolean> {
    const now = await this.versions(tags.map(([tag]) => tag))
    return now.every(([, version], index) => version === tags[index]?.[1])
  }

  async invalidateTags(tags: readonly string[]): Promise<true> {
    checkTags('invalidateTags', tags)
    const { connection, traffic, keys, local } = this.#scope
    const found = [...new Set(tags)].map((tag) => keys.tag(tag))
    await ownWrite(local, found, async () => {
      traffic.flushAll()
      const answers = await connection.pipeline(found.map((key) => ({ script: raiseTag, keys: [key], args: [] })))
      for (const answer of answers) if (answer instanceof Error) throw answer
    })
    return true
  }
}

/** Throws `AH_CACHE_OPTIONS` for what is no array, `AH_CACHE_KEY` for what cannot be a tag: it is part of a Redis key. */
export function checkTags(call: string, tags: unknown): asserts tags is readonly string[] {
  checkEach(call, tags)
  for (const tag of tags) checkKey(tag)
}
