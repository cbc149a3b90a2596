// Owns a websocket without a library: for frames that no library sends, and readers that do not read.
import { connect } from 'node:net'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** After the upgrade. */
export interface RawSocket {
  write(bytes: Buffer): void
  /** A text frame of at most 125 bytes, or of more. */
  send(message: object): void
  /** Of the close frame that came, if one did. */
  closeCode(): number | undefined
  /** Reads no more. */
  pause(): void
}

/** Rejects with the status if there is no upgrade. */
export function openHandshake(port: number, scope: TestScope, path = '/ah/ws'): Promise<RawSocket> {
  const socket = connect(port, '127.0.0.1')
  atEnd(scope, () => socket.destroy())
  // The server may end it at any moment.
  socket.on('error', () => undefined)
  const host = `127.0.0.1:${port}`
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  )
  let head = ''
  let heard = Buffer.alloc(0)
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('closed')))
    socket.on('data', (bytes) => {
      if (head.endsWith('\r\n\r\n')) {
        heard = Buffer.concat([heard, bytes])
        return
      }
      const text = head + bytes.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      head = end === -1 ? text : text.slice(0, end + 4)
      if (end === -1) return
      heard = Buffer.from(text.slice(end + 4), 'latin1')
      if (head.startsWith('HTTP/1.1 101')) resolve({ write, send, closeCode: () => closeCodeIn(heard), pause })
      else reject(new Error(head.split('\r\n')[0]))
    })
  })

  function write(bytes: Buffer): void {
    socket.write(bytes)
  }

  function send(message: object): void {
    const payload = Buffer.from(JSON.stringify(message))
    const head = Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
    if (payload.length > 125) throw new Error('too long for this short cut')
    socket.write(Buffer.concat([head, payload]))
  }

  function pause(): void {
    socket.pause()
  }
}

/** Walks over the frames of a server. */
function closeCodeIn(bytes: Buffer): number | undefined {
  let at = 0
  while (at + 2 <= bytes.length) {
    const opcode = bytes[at]! & 0x0f
    let length = bytes[at + 1]! & 0x7f
    let head = 2
    if (length === 126) {
      length = bytes.readUInt16BE(at + 2)
      head = 4
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at + 2))
      head = 10
    }
    if (opcode === 8) return bytes.readUInt16BE(at + head)
    at += head + length
  }
  return undefined
}
