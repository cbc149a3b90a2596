// How a value is to be kept: the options of `save`, checked.
import { checkCallOptions } from './call-options.ts'
import { optionalDuration } from './duration.ts'
import { AH_CACHE_OPTIONS } from './errors.ts'
import { shown } from './shown.ts'
import { checkTags } from './tags.ts'
import type { SaveOptions } from './types.ts'

/** The options as they are meant. */
export interface SavePlan {
  readonly ttl: number | undefined
  readonly tags: readonly string[] | undefined
  readonly token: number | undefined
}

/** Throws the coded error for what is no option of a save. */
export function savePlanOf(options: number | null | SaveOptions | undefined): SavePlan {
  if (typeof options !== 'object' || options === null) {
    return { ttl: optionalDuration('expireMs', options), tags: undefined, token: undefined }
  }
  checkCallOptions('save', options, ['expireMs', 'jitter', 'tags', 'fencingToken'])
  const { jitter, tags, fencingToken: token } = options
  if (tags !== undefined) checkTags('save: tags', tags)
  if (token !== undefined && !(Number.isSafeInteger(token) && token > 0)) {
    throw new AH_CACHE_OPTIONS(`save: expected the fencingToken that withLock gave, got ${shown(token)}`)
  }
  return {
    ttl: shortened('save', optionalDuration('expireMs', options.expireMs), jitter),
    tags: tags === undefined || tags.length === 0 ? undefined : [...new Set(tags)],
    token,
  }
}

/** The duration, shortened at random by at most this share. Throws `AH_CACHE_OPTIONS` for a share that is none. */
export function shortened(call: string, ms: number | undefined, jitter: number | undefined): number | undefined {
  if (jitter === undefined) return ms
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) {
    throw new AH_CACHE_OPTIONS(`${call}: expected a jitter from 0 to 1, got ${shown(jitter)}`)
  }
  return ms === undefined ? undefined : Math.max(1, Math.ceil(ms * (1 - jitter * Math.random())))
}
