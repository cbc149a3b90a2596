// The secret that the app's servers share: which it is, and whether it is one.
import { environment } from 'fastify-ah-kit'
import { AH_PUBSUB_TOKEN } from './errors.ts'

const fewestCharacters = 32
// Known to everybody who reads this: good enough to tell one's own mistakes from messages, and refused in production.
const developmentToken = 'fastify-ah: no secret, for development alone'
// What examples and ActionHero's generator write.
const knownTokens = new Set([developmentToken, 'change-me', 'my-server-token'])

/** The tokens to work with, the first to sign. Throws `AH_PUBSUB_TOKEN` for what must not be used in production. */
export function serverTokens(given: string | readonly string[] | undefined): readonly [string, ...string[]] {
  const { serverToken, isProduction } = environment()
  const source = given === undefined ? 'the variable SERVER_TOKEN' : 'the option "serverToken"'
  const tokens = given === undefined ? serverToken : given
  const [first, ...others] = typeof tokens === 'string' ? [tokens] : (tokens ?? [])
  if (first === undefined) {
    if (!isProduction) return [developmentToken]
    throw new AH_PUBSUB_TOKEN(
      `fastify-ah-pubsub: in production the servers need a secret in common: give the option "serverToken", or SERVER_TOKEN, at least ${fewestCharacters} characters`,
    )
  }
  for (const token of isProduction ? [first, ...others] : []) {
    if (knownTokens.has(token)) throw new AH_PUBSUB_TOKEN(`fastify-ah-pubsub: ${source} is one that everybody knows`)
    if (token.length >= fewestCharacters && new Set(token).size > 4) continue
    throw new AH_PUBSUB_TOKEN(
      `fastify-ah-pubsub: ${source} has ${token.length} characters, of ${new Set(token).size} kinds: expected at least ${fewestCharacters}, as "openssl rand -hex 32" makes them`,
    )
  }
  return [first, ...others]
}
