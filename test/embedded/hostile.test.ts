// Owns what broken and hostile input does to the process that holds the store: nothing.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { atEnd, random, type SpawnedNode, scaled, spawnNode, type TestScope } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'

const SERVE = new URL('./programs/serve.js', import.meta.url)

for (const [what, bytes] of Object.entries({
  'a count that is no number': '*x\r\n',
  'a negative count': '*-2\r\n',
  'a count without end': `*${'9'.repeat(400)}\r\n`,
  'an element that is no text': '*1\r\n:1\r\n',
  'a negative length': '*1\r\n$-5\r\n',
  'a length that is no number': '*1\r\n$abc\r\n',
  'a length beyond all numbers': '*1\r\n$99999999999999999999\r\n',
  'a text that is longer than said': '*1\r\n$4\r\nPINGPONG\r\n',
  'quotes that do not end': 'SET k "abc\r\n',
  'a page of HTTP': 'POST / HTTP/1.1\r\nHost: localhost\r\n\r\n',
})) {
  test(`${what} gets an error or the end of its connection, and others are served`, async (t) => {
    const { path, client } = await serve(t)
    const socket = await open(path, t)
    const replies = collect(socket)
    socket.end(bytes)
    await once(socket, 'close')
    assert.match(replies(), /^(-ERR .*\r\n)+$/)
    assert.equal(await client.ping(), 'PONG')
  })
}

test('a command that ends in the middle leaves nothing behind', async (t) => {
  const { path, client } = await serve(t)
  const command = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n'
  for (let length = 0; length < command.length; length++) {
    const socket = await open(path, t)
    socket.end(command.slice(0, length))
    socket.resume()
    await once(socket, 'close')
  }
  assert.equal(await client.exists('k'), 0)
  assert.match(String(await client.client('LIST')).trim(), /^id=.*$/)
})

test('a command that arrives byte by byte is understood', async (t) => {
  const { path, client } = await serve(t)
  const socket = await open(path, t)
  const replies = collect(socket)
  for (const byte of '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n') {
    socket.write(byte)
    await client.ping()
  }
  assert.equal(await client.get('k'), 'value')
  assert.equal(replies(), '+OK\r\n')
})

test('random bytes do no harm', async (t) => {
  const { path, client } = await serve(t)
  for (let round = 0; round < scaled(5000, 200); round++) {
    const socket = await open(path, t)
    socket.write(randomBytes(Math.floor(random() * 2000)))
    if (random() < 0.5) socket.destroy()
    else socket.end()
    socket.resume()
    await once(socket, 'close')
  }
  assert.equal(await client.ping(), 'PONG')
})

test('random arguments of every command there is do no harm', async (t) => {
  const { path, client } = await serve(t)
  const listed = (await client.call('COMMAND')) as [string][]
  const names = listed.map(([name]) => name).filter((name) => !UNHELPFUL.has(name))
  assert.ok(names.length > 200)
  for (let round = 0; round < scaled(5000, 200); round++) {
    const socket = await open(path, t)
    socket.write(Buffer.concat(Array.from({ length: 20 }, () => encoded([pick(names), ...randomArguments()]))))
    socket.end()
    socket.resume()
    await once(socket, 'close')
  }
  assert.equal(await client.ping(), 'PONG')
})

test('an error inside a command ends its connection with a reply and is told as a warning', async (t) => {
  const { path, client, child } = await serve(t)
  const socket = await open(path, t)
  const replies = collect(socket)
  socket.write('INFO __proto__\r\nPING\r\n')
  await once(socket, 'close')
  assert.equal(replies(), '-ERR internal server error\r\n')
  await child.waitForLine(/AH_EMBEDDED_COMMAND.*a command failed inside the embedded store: TypeError/)
  assert.equal(await client.ping(), 'PONG')
})

test('without free file descriptors new clients wait or are closed, and it recovers', async (t) => {
  const child = spawnNode(SERVE, { args: ['exhausted'], ipc: true }, t)
  const exhausted = once(child.child, 'message')
  const [, directory = ''] = await child.waitForLine(/^directory (.+)$/)
  const path = join(directory, 'redis.sock')
  await exhausted
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(path, t)))
  for (const socket of sockets) socket.end('PING\r\n')
  child.child.send('recover')
  await child.waitForLine(/^recovered$/)
  const client = new Redis(path)
  atEnd(t, () => client.disconnect())
  assert.equal(await client.ping(), 'PONG')
})

test('a crowd that connects and leaves at once leaves nothing behind', async (t) => {
  const { path, client } = await serve(t)
  const sockets = Array.from({ length: scaled(5000, 300) }, () => connectSocket(path))
  for (const socket of sockets) {
    socket.on('error', () => socket.destroy())
    socket.write('SUBSCRIBE a b c\r\nPSUBSCRIBE *\r\n')
    socket.destroy()
  }
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')))
  while (
    String(await client.client('LIST'))
      .trim()
      .split('\n').length > 1
  )
    assert.equal(await client.ping(), 'PONG')
  assert.equal(await client.publish('a', 'x'), 0)
})

// They wait, or they speak for ever.
const UNHELPFUL = new Set(['monitor', 'shutdown', 'quit'])
const WORDS = [
  'k',
  'l',
  'h',
  's',
  'z',
  'x',
  '0',
  '1',
  '-1',
  '1e400',
  'nan',
  '',
  '*',
  '[',
  'LIMIT',
  'COUNT',
  'MATCH',
  'GET',
  'STREAMS',
  '$',
  '>',
  '+',
  '-',
  '(1',
  '0-0',
  'BLOCK',
  'PX',
  '1.5',
  'LEFT',
  'NX',
  '__proto__',
  'return 1',
  'BYSCORE',
  'WITHSCORES',
  'GROUP',
  'AGGREGATE',
  'WEIGHTS',
  'STORE',
  'a'.repeat(1000),
]

function randomArguments(): (string | Buffer)[] {
  return Array.from({ length: Math.floor(random() * 7) }, () =>
    random() < 0.1 ? randomBytes(Math.floor(random() * 50)) : pick(WORDS),
  )
}

function randomBytes(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}

function encoded(command: readonly (string | Buffer)[]): Buffer {
  const parts = command.map((part) => Buffer.from(part as string))
  return Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
  ])
}

interface Served {
  readonly child: SpawnedNode
  readonly path: string
  readonly client: Redis
}

async function serve(scope: TestScope): Promise<Served> {
  const child = spawnNode(SERVE, { ipc: true }, scope)
  const [, directory = ''] = await child.waitForLine(/^directory (.+)$/)
  const path = join(directory, 'redis.sock')
  const client = new Redis(path)
  atEnd(scope, () => client.disconnect())
  return { child, path, client }
}

async function open(path: string, scope: TestScope): Promise<Socket> {
  const socket = connectSocket(path)
  atEnd(scope, () => socket.destroy())
  // A server that closed before all was sent.
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** All that the socket received so far. */
function collect(socket: Socket): () => string {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('latin1')
}
