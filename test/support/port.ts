// Owns the choice of free ports.
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the range from which Linux and macOS take the ports of outgoing connections (32768 and 49152 upwards): a server
// that is down for a moment would otherwise lose its port to one of the thousands of connections of the suites.
const LOWEST = 10_000
const HIGHEST = 32_000

const handedOut = new Set<number>()

/** A port on 127.0.0.1 on which nobody listens now, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (handedOut.has(port)) continue
    if (await canListen(port)) {
      handedOut.add(port)
      return port
    }
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}
