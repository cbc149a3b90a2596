// Owns a websocket that says what it likes.
import { atEnd, type TestScope, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import type { Reply } from './bayeux-http.ts'

/** An open websocket, and all that came. */
export interface RawSocket {
  readonly socket: WebSocket
  readonly replies: Reply[]
  /** The code that it was closed with; undefined while it is open. */
  readonly closedBy: () => number | undefined
  send(message: unknown): void
  /** The next replies, when there are so many more. */
  next(count?: number): Promise<Reply[]>
}

export async function openSocket(url: string, scope: TestScope): Promise<RawSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'))
  atEnd(scope, () => socket.terminate())
  const replies: Reply[] = []
  let code: number | undefined
  let seen = 0
  socket.on('message', (data) => replies.push(...(JSON.parse(String(data)) as Reply[])))
  socket.on('close', (given) => {
    code = given
  })
  socket.on('error', () => undefined)
  await until(() => socket.readyState === WebSocket.OPEN)
  return {
    socket,
    replies,
    closedBy: () => code,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async next(count = 1) {
      await until(() => replies.length >= seen + count)
      seen += count
      return replies.slice(seen - count, seen)
    },
  }
}
