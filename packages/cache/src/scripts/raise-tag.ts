// Gives a tag a version that it never had.
import { defineScript } from 'fastify-ah-kit/redis'
import { nextTokenLua } from './next-token.ts'

/** Answers the version as text. A repeat gives another one: nothing was saved under the first that must not be lost. */
export const raiseTag = defineScript({
  name: 'raise-tag',
  keys: ['tag'],
  args: [],
  lua: /* lua */ `${nextTokenLua}
local version = next_token(redis.call('GET', tag))
redis.call('SET', tag, version)
return version`,
})
