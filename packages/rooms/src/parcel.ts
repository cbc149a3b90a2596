// Texts on their way to clients: put into frames once, however many get them.

/** Texts that go to several connections, in their order. */
export class Parcel {
  readonly texts: readonly string[]
  #frames: Buffer | undefined

  constructor(texts: readonly string[]) {
    this.texts = texts
  }

  /** All of them as websocket frames of a server: final, text, not masked (RFC 6455, 5.2). */
  get frames(): Buffer {
    this.#frames ??= framesOf(this.texts)
    return this.#frames
  }
}

function framesOf(texts: readonly string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text))
  const target = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + headBytes(size) + size, 0))
  let at = 0
  for (let index = 0; index < texts.length; index += 1) {
    const size = sizes[index] as number
    target[at] = 0x81
    if (size < 126) target[at + 1] = size
    else if (size < 65_536) {
      target[at + 1] = 126
      target.writeUInt16BE(size, at + 2)
    } else {
      target[at + 1] = 127
      target.writeUInt32BE(0, at + 2)
      target.writeUInt32BE(size, at + 6)
    }
    at += headBytes(size)
    target.write(texts[index] as string, at)
    at += size
  }
  return target
}

function headBytes(size: number): number {
  if (size < 126) return 2
  return size < 65_536 ? 4 : 10
}
