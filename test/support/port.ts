// Owns the choice of free ports.
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the range from which Linux and macOS take the ports of outgoing connections (32768 and 49152 upwards): a server
// that is down for a moment would otherwise lose its port to one of the thousands of connections of the suites.
const LOWEST = 10_000
const HIGHEST = 32_000

// Each process begins in a block of its own: of two that look at the same moment both would find a port free, and one would
// lose it. Processes that live at the same time hardly ever have pids that are a multiple of the blocks apart.
const BLOCK = 64
// Through the block in leaps: inspectors, for one, take the ports behind the one they were given.
const STRIDE = 37
const ownBlock = LOWEST + (process.pid % Math.floor((HIGHEST - LOWEST) / BLOCK)) * BLOCK

const handedOut = new Set<number>()
let looks = 0

/** A port on 127.0.0.1 on which nobody listens now, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port =
      looks < BLOCK ? ownBlock + ((looks * STRIDE) % BLOCK) : LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    looks += 1
    if (handedOut.has(port)) continue
    handedOut.add(port)
    if (await canListen(port)) return port
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
