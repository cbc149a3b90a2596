// Owns the mark that stands before a payload in our own keys, as the scripts write and read it.

/** `f` fresh, `r` of a dead process but not to blame, `s` may have killed its process. */
export type MarkKind = 'f' | 'r' | 's'

/** A payload with what is known of it. */
export interface MarkedPayload {
  readonly kind: MarkKind
  /** How often it died with its process as the only suspect. */
  readonly deaths: number
  readonly queue: string
  readonly payload: Buffer
}

/** The bytes of a payload behind its mark. */
export function encodeMarked({ kind, deaths, queue, payload }: MarkedPayload): Buffer {
  const name = Buffer.from(queue)
  return Buffer.concat([Buffer.from(`${kind}${deaths}:${name.length}:`), name, payload])
}

/** The text of a fresh payload behind its mark. */
export function markFresh(queue: string, payload: string): string {
  return `f0:${Buffer.byteLength(queue)}:${queue}${payload}`
}

/** Reads what a script wrote of text; undefined for anything else. */
export function parseMarked(
  text: string,
): { readonly mark: string; readonly queue: string; readonly text: string } | undefined {
  const markEnd = text.indexOf(':')
  const start = text.indexOf(':', markEnd + 1) + 1
  const length = Number(text.slice(markEnd + 1, start - 1))
  if (markEnd < 0 || start <= 0 || !Number.isInteger(length)) return undefined
  const mark = text.slice(0, markEnd)
  const queue = text.slice(start, start + length)
  if (Buffer.byteLength(queue) === length) return { mark, queue, text: text.slice(start + length) }
  // The name is counted in bytes, and has characters of several.
  const bytes = Buffer.from(text.slice(start))
  return { mark, queue: bytes.subarray(0, length).toString(), text: bytes.subarray(length).toString() }
}

/** Reads what {@link encodeMarked} or a script wrote; undefined for anything else. */
export function decodeMarked(bytes: Buffer): MarkedPayload | undefined {
  const found = /^([frs])(\d{1,9}):(\d{1,9}):/.exec(bytes.subarray(0, 22).toString('latin1'))
  if (found === null) return undefined
  const start = found[0].length
  const end = start + Number(found[3])
  if (end > bytes.length) return undefined
  const queue = bytes.subarray(start, end).toString()
  return { kind: found[1] as MarkKind, deaths: Number(found[2]), queue, payload: bytes.subarray(end) }
}
