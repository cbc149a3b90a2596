// Names of channels: which there are, who may use them, and which a wildcard means.
import { AH_PUBSUB_CHANNEL, AH_PUBSUB_CLOSED_CHANNEL, AH_PUBSUB_OPTIONS } from './errors.ts'
import { shown } from './shown.ts'

/**
 * The characters of a segment: those of Faye, and `.` and `:`. What is not listed is refused, so there is one spelling
 * of each name: no encoding, no look-alike letter, no invisible character, nothing that Redis reads as a glob.
 */
const segmentPattern = /^[A-Za-z0-9\-_!~()$@.:]+$/
const longest = 512

/** A channel, or a set of channels. */
export interface ChannelName {
  readonly name: string
  readonly segments: readonly string[]
  /** `*` stands for one segment, a last `**` for one or more. */
  readonly isWildcard: boolean
}

/** The name's parts; throws `AH_PUBSUB_CHANNEL` for what is none. */
function parseChannel(name: unknown): ChannelName {
  if (typeof name !== 'string' || name.length > longest || !name.startsWith('/')) throw refusal(name)
  const segments = name.slice(1).split('/')
  let isWildcard = false
  for (const [index, segment] of segments.entries()) {
    if (segment === '*' || (segment === '**' && index === segments.length - 1)) isWildcard = true
    else if (!segmentPattern.test(segment) || segment === '.' || segment === '..') throw refusal(name)
  }
  return { name, segments, isWildcard }
}

/**
 * A name that everybody may use. The servers' part of the tree is closed under every spelling that comes near it:
 * capitals, dots and dashes around the word.
 */
export function userChannel(name: unknown): ChannelName {
  const parsed = parseChannel(name)
  const [first = ''] = parsed.segments
  if (first.replace(/[^A-Za-z0-9]/g, '').toLowerCase() === 'actionhero') {
    throw new AH_PUBSUB_CLOSED_CHANNEL(shown(name))
  }
  return parsed
}

/** A name below `/actionhero/app/`, where the app's own servers speak. */
export function internalChannel(name: unknown): ChannelName {
  const parsed = parseChannel(name)
  const [first, second, ...rest] = parsed.segments
  if (first === 'actionhero' && second === 'app' && rest.length > 0) return parsed
  throw new AH_PUBSUB_CHANNEL(`expected a channel below /actionhero/app/, got ${shown(name)}`)
}

/** The same for publishing, which takes no wildcards. */
export function single(channel: ChannelName): ChannelName {
  if (!channel.isWildcard) return channel
  throw new AH_PUBSUB_CHANNEL(`a message is published on one channel, and ${shown(channel.name)} is a wildcard`)
}

/** What sharded pub/sub cannot do. */
export function withoutWildcard(channel: ChannelName): ChannelName {
  if (!channel.isWildcard) return channel
  throw new AH_PUBSUB_OPTIONS(
    `sharded pub/sub knows no wildcards, so ${shown(channel.name)} cannot be subscribed to with the option "sharded"`,
  )
}

/** The Redis pattern of a wildcard. It matches more: `*` crosses segments there, see {@link matches}. */
export function globOf({ segments }: ChannelName): string {
  return `/${segments.map((segment) => (segment === '**' ? '*' : segment)).join('/')}`
}

/** Whether the wildcard means the channel, segment by segment. */
export function matches({ segments: wanted }: ChannelName, channel: string): boolean {
  const segments = channel.slice(1).split('/')
  const isDeep = wanted.at(-1) === '**'
  if (isDeep ? segments.length < wanted.length : segments.length !== wanted.length) return false
  return wanted.every((segment, index) => segment === '*' || segment === '**' || segment === segments[index])
}

function refusal(name: unknown): Error {
  return new AH_PUBSUB_CHANNEL(
    `expected a channel such as "/chat/lobby" (letters, digits and -_!~()$@.: in segments, at most ${longest} characters; "*" for one segment, a last "**" for any number), got ${shown(name)}`,
  )
}
