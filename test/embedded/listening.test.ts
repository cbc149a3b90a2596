// Owns where the store listens, who can reach it, and what is left of it afterwards.
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import test from 'node:test'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { atEnd, isAlive, type SpawnedNode, spawnNode, type TestScope, tempDir, until } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { connect, openStore } from './stores.ts'

const SERVE = new URL('./programs/serve.js', import.meta.url)
const IN_WORKER = new URL('./programs/start-in-worker.js', import.meta.url)
const NOBODY = 65_534

test('it listens on its unix socket and on no port', async (t) => {
  const { child, path } = await serve(t)
  const inodes = new Set(
    readdirSync(`/proc/${child.pid}/fd`).flatMap((fd) => {
      const target = linkOf(`/proc/${child.pid}/fd/${fd}`)
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []
    }),
  )
  const tcp = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((name) => inodesOf(`/proc/${child.pid}/net/${name}`, 9))
  assert.deepEqual(
    tcp.filter((inode) => inodes.has(inode)),
    [],
  )
  const unix = readFileSync(`/proc/${child.pid}/net/unix`, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(path))
  assert.equal(unix.length, 1)
})

for (const [where, program] of Object.entries({ 'the main thread': SERVE, 'a worker thread': IN_WORKER })) {
  test(`another user cannot reach a store of ${where}, whatever the mask`, async (t) => {
    const { child, directory, path } = await serve(t, program)
    assert.equal(statSync(directory).mode & 0o777, 0o700)
    const asker = spawnNode(
      new URL('./programs/ask.js', import.meta.url),
      { args: [path], uid: NOBODY, gid: NOBODY },
      t,
    )
    await asker.waitForLine(/^EACCES$/)
    const friend = new Redis(path)
    atEnd(t, () => friend.disconnect())
    assert.equal(await friend.ping(), 'PONG')
    child.child.send('end')
    assert.deepEqual(await child.exited, { code: 0, signal: null })
    assert.ok(!existsSync(directory))
  })
}

test('the socket is for its user alone, and the mask of the process is as before', async (t) => {
  const before = process.umask(0o002)
  try {
    const store = await openStore(t)
    assert.equal(statSync(store.path).mode & 0o777, 0o700)
    assert.equal(process.umask(), 0o002)
  } finally {
    process.umask(before)
  }
})

test('close ends all connections, waiting ones too, and removes the folder; twice is fine', async (t) => {
  const store = await openStore(t)
  const client = connect(store, t)
  client.options.retryStrategy = () => null
  const replies = client.pipeline().set('waits', 'yes').blpop('none', 0).exec()
  const outcome = replies.then(
    (all) => all?.[1]?.[0]?.message,
    (error) => error.message,
  )
  const other = connect(store, t)
  other.options.retryStrategy = () => null
  await until(() => other.exists('waits'))
  await Promise.all([store.close(), store.close()])
  await store.close()
  assert.match(String(await outcome), /connection close/i)
  assert.ok(!existsSync(store.directory))
  await until(() => other.status === 'end')
})

test('many stores live side by side', async (t) => {
  const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(t)))
  for (const [number, store] of stores.entries()) await connect(store, t).set('k', number)
  for (const [number, store] of stores.entries()) assert.equal(await connect(store, t).get('k'), String(number))
})

for (const [wish, code] of Object.entries({ idle: 0, exit: 3, close: 0, throw: 1 })) {
  test(`a process that wants to ${wish} ends, and leaves nothing behind`, async (t) => {
    const child = spawnNode(SERVE, { args: [wish], unhandledErrors: 'counted' }, t)
    assert.equal((await child.exited).code, code, child.stderr())
    assert.deepEqual(readdirSync(child.tmpDir), [])
    assert.equal((await child.unhandled()).length, wish === 'throw' ? 1 : 0)
  })
}

test('a connection keeps the process alive, and others are served meanwhile', async (t) => {
  const child = spawnNode(SERVE, { args: ['connected'], ipc: true }, t)
  const [, directory = ''] = await child.waitForLine(/^directory (.+)$/)
  await child.waitForLine(/^connected$/)
  for (let round = 0; round < 3; round++) {
    const client = new Redis(join(directory, 'redis.sock'))
    atEnd(t, () => client.disconnect())
    assert.equal(await client.incr('rounds'), round + 1)
    await client.quit()
  }
  assert.ok(isAlive(child.pid))
})

test('what a killed process left behind is removed by the next start, and nothing else', async (t) => {
  const directory = tempDir(t).path
  const killed = spawnNode(SERVE, { ipc: true, env: { TMPDIR: directory } }, t)
  const abandoned = (await killed.waitForLine(/^directory (.+)$/))[1] ?? ''
  killed.kill('SIGKILL')
  await killed.exited
  assert.ok(existsSync(join(abandoned, 'redis.sock')))

  const living = await serve(t, SERVE, directory)
  assert.deepEqual(readdirSync(directory), [basename(living.directory)])

  // A socket that answers, though no process of that number is to be seen here: it belongs to another container.
  const elsewhere = join(directory, `fastify-ah-${killed.pid}-abcdef`)
  mkdirSync(elsewhere)
  const server = createServer().listen(join(elsewhere, 'redis.sock'))
  atEnd(t, () => server.close())
  await until(() => server.listening)
  const target = tempDir(t).path
  writeFileSync(join(target, 'file'), 'x')
  symlinkSync(target, join(directory, `fastify-ah-${killed.pid}-linked`))
  mkdirSync(join(directory, `fastify-ah-${killed.pid}-toolong`))
  mkdirSync(join(directory, 'other'))
  const before = readdirSync(directory).toSorted()

  const store = await startEmbeddedStore({ directory })
  await store.close()
  assert.deepEqual(readdirSync(directory).toSorted(), before)
  assert.ok(existsSync(join(target, 'file')))
  assert.ok(isAlive(living.child.pid))
  rmSync(elsewhere, { recursive: true })
})

test('a folder that cannot be listed is a warning, no reason not to start', async (t) => {
  const directory = tempDir(t).path
  chmodSync(directory, 0o733)
  const child = spawnNode(SERVE, { args: ['close'], env: { TMPDIR: directory }, uid: NOBODY, gid: NOBODY }, t)
  await child.waitForLine(/AH_EMBEDDED_ABANDONED.*could not clear/)
  await child.waitForLine(/^closed$/)
})

interface Served {
  readonly child: SpawnedNode
  readonly directory: string
  readonly path: string
}

async function serve(scope: TestScope, program = SERVE, parent?: string): Promise<Served> {
  const env = parent === undefined ? {} : { TMPDIR: parent }
  const child = spawnNode(program, { ipc: true, env }, scope)
  const directory = (await child.waitForLine(/^directory (.+)$/))[1] ?? ''
  return { child, directory, path: join(directory, 'redis.sock') }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    // Closed since the folder was read.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** The column with the inodes of a table in /proc/net. */
function inodesOf(table: string, column: number): string[] {
  return readFileSync(table, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/)[column] ?? '')
}
