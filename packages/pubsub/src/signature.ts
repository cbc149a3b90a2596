// Signed envelopes: what the servers say to each other can be neither invented nor changed by who only reaches Redis.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

interface Key {
  /** Tells the keys from each other, and nothing of the token. */
  readonly id: string
  readonly token: string
}

const form = 'ah1'
const idLength = 8
const macLength = 64
// Form, key id and MAC, each with a space behind it.
const headLength = form.length + 1 + idLength + 1 + macLength + 1

/**
 * `ah1 <key id> <HMAC-SHA256 in hex> <body>`. The MAC is keyed by the server token and covers the key id, the Redis
 * channel and the exact bytes of the body, in which the sender's id, its number and its time by Redis stand. Signed with
 * the first token, taken with each: two while one replaces the other.
 */
export class Signature {
  readonly #keys: readonly [Key, ...Key[]]

  constructor(tokens: readonly [string, ...string[]]) {
    this.#keys = tokens.map((token) => ({ id: idOf(token), token })) as [Key, ...Key[]]
  }

  /** The envelope of a body. */
  seal(redisChannel: string, body: string): string {
    const [key] = this.#keys
    return `${form} ${key.id} ${macOf(key, redisChannel, Buffer.from(body))} ${body}`
  }

  /** The body of an envelope that one of our servers sealed for this channel; undefined for all else. */
  open(redisChannel: string, envelope: Buffer): Buffer | undefined {
    if (envelope.length < headLength) return undefined
    const [name, id, mac, rest] = envelope.toString('latin1', 0, headLength).split(' ')
    if (name !== form || mac?.length !== macLength || rest !== '') return undefined
    const key = this.#keys.find((known) => known.id === id)
    if (key === undefined) return undefined
    const body = envelope.subarray(headLength)
    const expected = Buffer.from(macOf(key, redisChannel, body))
    return timingSafeEqual(expected, envelope.subarray(headLength - macLength - 1, headLength - 1)) ? body : undefined
  }
}

function idOf(token: string): string {
  return createHash('sha256').update(`${form} key id ${token}`).digest('hex').slice(0, idLength)
}

function macOf({ id, token }: Key, redisChannel: string, body: Buffer): string {
  // With its length, so that no other border between channel and body gives the same bytes.
  return createHmac('sha256', token)
    .update(`${form}\n${id}\n${Buffer.byteLength(redisChannel)}\n${redisChannel}\n`)
    .update(body)
    .digest('hex')
}
