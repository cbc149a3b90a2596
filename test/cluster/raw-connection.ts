// Owns a bare connection: what is written on it and what comes back, byte for byte.
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { type HttpTarget, until } from 'fastify-ah-test-support'

export interface RawConnection {
  write(text: string): void
  /** Writes and waits for one whole answer. */
  ask(text: string): Promise<string>
  text(): string
  /** Closes it. */
  end(): Promise<void>
  readonly ended: Promise<void>
}

/** Opens one; it ends with the test. */
export async function rawConnection(target: HttpTarget, t: TestContext): Promise<RawConnection> {
  const socket = 'port' in target ? connect(target.port, '127.0.0.1') : connect(target.socketPath)
  let text = ''
  socket.setEncoding('utf8').on('data', (data: string) => {
    text += data
  })
  // A reset is an end as well.
  const ended = new Promise<void>((resolve) => {
    socket.once('error', () => resolve())
    socket.once('close', () => resolve())
  })
  t.after(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return {
    write: (request) => socket.write(request),
    ask: async (request) => {
      const before = text.length
      socket.write(request)
      return until(() => /\r\n\r\n.+/s.test(text.slice(before)) && text.slice(before))
    },
    text: () => text,
    end: async () => {
      socket.end()
      await ended
    },
    ended,
  }
}
