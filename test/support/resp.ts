// Owns finding where one Redis value ends in a stream of bytes (RESP2 and RESP3, commands and answers alike).
// Wire format: https://redis.io/docs/latest/develop/reference/protocol-spec/

/** One whole value. */
export interface RespValue {
  bytes: Buffer
  /** Where it ends in the chunk that completed it. */
  end: number
  /** Sent by the server unasked: the answer of no command. */
  isPush: boolean
}

const CARRIAGE_RETURN = 0x0d

/** Cuts a stream into values; remembers an unfinished one until its rest comes. */
export class RespSplitter {
  #rest: Buffer = Buffer.alloc(0)

  /** The values that `chunk` completes. */
  push(chunk: Buffer): RespValue[] {
    const bytes = Buffer.concat([this.#rest, chunk])
    const before = this.#rest.length
    const values: RespValue[] = []
    let start = 0
    for (let end = endOf(bytes, 0); end !== undefined; end = endOf(bytes, start)) {
      values.push({ bytes: bytes.subarray(start, end), end: end - before, isPush: typeAt(bytes, start) === '>' })
      start = end
    }
    this.#rest = bytes.subarray(start)
    return values
  }
}

/** The arguments of a command as it went over the wire. */
export function argumentsOf(command: Buffer): string[] {
  const args: string[] = []
  let at = lineEnd(command, 0)
  while (at !== undefined && at < command.length) {
    const start = lineEnd(command, at)!
    const length = numberAt(command, at, start)
    args.push(command.toString('utf8', start, start + length))
    at = start + length + 2
  }
  return args
}

/** Where the value at `start` ends; undefined when its rest has not come yet. */
function endOf(bytes: Buffer, start: number): number | undefined {
  const next = lineEnd(bytes, start)
  if (next === undefined) return undefined
  const length = numberAt(bytes, start, next)
  switch (typeAt(bytes, start)) {
    case '$':
    case '!':
    case '=':
      return length < 0 ? next : within(bytes, next + length + 2)
    case '*':
    case '~':
    case '>':
      return endOfMany(bytes, next, length)
    case '%':
      return endOfMany(bytes, next, length * 2)
    case '|':
      // Attributes stand before the value that they describe.
      return endOfMany(bytes, next, length * 2 + 1)
    default:
      return next
  }
}

function endOfMany(bytes: Buffer, start: number, count: number): number | undefined {
  let end: number | undefined = start
  for (let i = 0; i < count && end !== undefined; i++) end = endOf(bytes, end)
  return end
}

function typeAt(bytes: Buffer, start: number): string {
  return String.fromCharCode(bytes[start]!)
}

function numberAt(bytes: Buffer, start: number, next: number): number {
  return Number(bytes.toString('latin1', start + 1, next - 2))
}

function lineEnd(bytes: Buffer, start: number): number | undefined {
  const end = bytes.indexOf(CARRIAGE_RETURN, start)
  return end < 0 ? undefined : within(bytes, end + 2)
}

function within(bytes: Buffer, end: number): number | undefined {
  return end <= bytes.length ? end : undefined
}

/** A Redis command's name and arguments; empty for another protocol's bytes. */
export function partsOf(request: Buffer): string[] {
  return request[0] === '*'.charCodeAt(0) ? argumentsOf(request) : []
}
