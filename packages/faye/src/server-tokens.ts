// The tokens that open the servers' channels to clients: which they are, and whether they will do.
import { environment } from 'fastify-ah-kit'
import { ServerTokens } from './access.ts'
import { AH_FAYE_OPTIONS } from './errors.ts'

const fewestCharacters = 32

/** Undefined unless allowed. Throws `AH_FAYE_OPTIONS` where there is none, or one that could be guessed. */
export function serverTokensFor(
  isAllowed: boolean,
  given: string | readonly string[] | undefined,
): ServerTokens | undefined {
  if (!isAllowed) return undefined
  const { serverToken, isProduction } = environment()
  const tokens = [given ?? serverToken ?? []].flat()
  if (tokens.length === 0) {
    throw new AH_FAYE_OPTIONS(
      'fastify-ah-faye: option "allowServerToken" is true, and there is no token: give "serverToken", or SERVER_TOKEN',
    )
  }
  const short = tokens.find(({ length }) => length < fewestCharacters)
  if (short !== undefined && isProduction) {
    throw new AH_FAYE_OPTIONS(
      `fastify-ah-faye: option "serverToken": expected at least ${fewestCharacters} characters, got ${short.length}`,
    )
  }
  return new ServerTokens(tokens)
}
