// A websocket that only counts: which server is the faster shows only where the members cost next to nothing. With a real client
// for each, one process of two hundred members has more to do than any of the servers.
import { connect } from 'node:net'

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/**
 * Opens `url` and resolves when `talk` is through: it is called when the socket is open, and with each text that comes, with what
 * sends one, and answers whether it is in the room. From then on `hear(count)` is told how often `mark`, a part of each message, came.
 */
export function openCountingSocket(url, { talk, mark, hear }) {
  const { hostname, port, pathname, search, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\n${UPGRADE}`)
  const send = (text) => socket.write(clientFrame(text))
  return new Promise((resolve, reject) => {
    let heard = Buffer.alloc(0)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${url} closed the connection`)))
    const onHead = (bytes) => {
      heard = Buffer.concat([heard, bytes])
      const end = heard.indexOf('\r\n\r\n')
      if (end === -1) return
      if (!heard.toString('latin1', 0, 12).endsWith(' 101')) return void reject(new Error(heard.toString('latin1')))
      heard = heard.subarray(end + 4)
      socket.off('data', onHead).on('data', onFrames)
      if (talk(undefined, send)) count()
      else onFrames(Buffer.alloc(0))
    }
    const onFrames = (bytes) => {
      heard = Buffer.concat([heard, bytes])
      for (let frame = frameIn(heard); frame !== undefined; frame = frameIn(heard)) {
        heard = heard.subarray(frame.end)
        if (talk(frame.text, send)) return count()
      }
    }
    const count = () => {
      socket.off('data', onFrames).on('data', counter(mark, hear))
      resolve(socket)
    }
    socket.on('data', onHead)
  })
}

/** Counts `mark` in bytes that come in pieces. */
function counter(mark, hear) {
  const sought = Buffer.from(mark)
  const most = sought.length - 1
  let end = Buffer.alloc(0)
  return (bytes) => {
    let count = Buffer.concat([end, bytes.subarray(0, most)]).includes(sought) ? 1 : 0
    for (let at = bytes.indexOf(sought); at !== -1; at = bytes.indexOf(sought, at + sought.length)) count += 1
    end = Buffer.from(bytes.length < most ? Buffer.concat([end, bytes]).subarray(-most) : bytes.subarray(-most))
    if (count > 0) hear(count)
  }
}

/** The first text of a server, if all of it is there. */
function frameIn(bytes) {
  if (bytes.length < 4) return undefined
  const short = bytes[1]
  const [length, head] = short < 126 ? [short, 2] : [bytes.readUInt16BE(2), 4]
  const end = head + length
  return bytes.length < end ? undefined : { text: bytes.toString('utf8', head, end), end }
}

/** Masked by nothing, as a client's has to be. */
function clientFrame(text) {
  const payload = Buffer.from(text)
  const size = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from([0x81, ...size, 0, 0, 0, 0]), payload])
}
