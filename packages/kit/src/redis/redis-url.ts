// A Redis URL or socket path, taken apart; nothing of a wrong one is shown that could be a password.
import { Redis, type RedisOptions } from 'ioredis'
import { AH_KIT_REDIS_OPTION } from './errors.ts'

/**
 * The ioredis options that a URL stands for. ioredis itself takes any text for a host name: a typo in the scheme would
 * become a DNS error, and `REDISS://` a connection without TLS. `source` names the option or variable, for messages.
 */
export function optionsOfUrl(text: string, source: string): RedisOptions {
  const { options: defaults } = new Redis({ lazyConnect: true })
  const { options } = new Redis(checkedUrl(text, source), { lazyConnect: true })
  const given = Object.entries(options).filter(
    ([name, value]) => value !== '' && value !== (defaults as Record<string, unknown>)[name],
  )
  return Object.fromEntries(given)
}

function checkedUrl(text: string, source: string): string {
  if (/^\/[^/]/.test(text)) return text
  const shown = /[@?]/.test(text) ? 'another text (not shown, it may hold a password)' : JSON.stringify(text)
  const wrong = (got: string): Error =>
    new AH_KIT_REDIS_OPTION(
      `${source}: expected a URL such as redis://host:6379 or rediss://host, or a socket path, got ${got}`,
    )
  if (!URL.canParse(text)) throw wrong(shown)
  const { protocol, hostname, pathname, username, password, href } = new URL(text)
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw wrong(shown)
  if (hostname === '') throw wrong('one without a host')
  if (!/^\/?\d*$/.test(pathname)) throw wrong(`one whose database is no number: ${JSON.stringify(pathname)}`)
  if (!isDecodable(username) || !isDecodable(password)) throw wrong('one whose user or password is not percent-encoded')
  return href
}

function isDecodable(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text)
}
