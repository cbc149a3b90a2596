// Owns a socket as systemd's, and what services say to it. Node has no unix datagram sockets, so Python receives.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { atEnd, type TestScope, tempDir, until } from 'fastify-ah-test-support'

/** A listening socket. */
export interface NotifySocket {
  /** For `NOTIFY_SOCKET`. */
  readonly path: string
  /** The messages so far, each as its lines. */
  readonly messages: readonly string[][]
  /** The first lines of the messages, signs of life left out. */
  states(): string[]
}

const RECEIVER = `
import socket, sys, json
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    text = s.recv(65536).decode()
    print(json.dumps(text.split('\\n')), flush=True)
`

/** Listens until the test ends. */
export async function notifySocket(scope: TestScope): Promise<NotifySocket> {
  const path = join(tempDir(scope).path, 'notify')
  const messages: string[][] = []
  const child = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(scope, async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  createInterface(child.stdout).on('line', (line) => {
    const lines = JSON.parse(line) as string[]
    // The command's own way to know that its message was read.
    if (lines[0] !== 'BARRIER=1') messages.push(lines)
  })
  await until(() => existsSync(path), { what: 'the socket of systemd is there' })
  const states = () => messages.map(([first]) => first!).filter((first) => first !== 'WATCHDOG=1')
  return { path, messages, states }
}
