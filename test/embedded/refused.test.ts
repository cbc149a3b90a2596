// Owns the starts that fail: one coded error each that says what to do, and nothing left behind.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { spawnNode, type TestScope, tempDir } from 'fastify-ah-test-support'

const FAILED_START = new URL('./programs/failed-start.js', import.meta.url)
const NOBODY = 65_534

for (const [options, message] of [
  [{ dir: '/tmp' }, 'fastify-ah-embedded: unknown option "dir"; there are: directory'],
  [{ port: 6379, host: 'x' }, 'fastify-ah-embedded: unknown option "port", "host"; there are: directory'],
  [{ directory: 5 }, 'fastify-ah-embedded: option "directory": expected the path of a folder, got a number'],
  [{ directory: '' }, 'fastify-ah-embedded: option "directory": expected the path of a folder, got ""'],
  [{ directory: null }, 'fastify-ah-embedded: option "directory": expected the path of a folder, got null'],
  ['/tmp', 'fastify-ah-embedded: expected an object of options, got "/tmp"'],
  [null, 'fastify-ah-embedded: expected an object of options, got null'],
  [[], 'fastify-ah-embedded: expected an object of options, got an array'],
] as const) {
  test(`the options ${JSON.stringify(options)} are refused`, async () => {
    await assert.rejects(startEmbeddedStore(options as never), { code: 'AH_EMBEDDED_OPTIONS', message })
  })
}

test('an option that is undefined is not there', async (t) => {
  const store = await startEmbeddedStore({ directory: undefined })
  t.after(() => store.close())
  assert.ok(store.path.startsWith('/'))
})

test('a path that a unix socket cannot have is refused with its length', async (t) => {
  const parent = tempDir(t).path
  const longest = 107 - `/fastify-ah-${process.pid}-XXXXXX/redis.sock`.length
  const directory = (bytes: number) => join(parent, 'x'.repeat(bytes - parent.length - 1))
  mkdirSync(directory(longest))
  await (await startEmbeddedStore({ directory: directory(longest) })).close()
  mkdirSync(directory(longest + 1))
  await assert.rejects(startEmbeddedStore({ directory: directory(longest + 1) }), {
    code: 'AH_EMBEDDED_PATH',
    message: /has 108 bytes, a unix socket may have 107: let "directory" name a folder with a shorter path/,
  })
  assert.deepEqual(readdirSync(directory(longest + 1)), [])
})

test('a path that Redis clients cannot read is refused', async (t) => {
  const directory = join(tempDir(t).path, 'a?b')
  mkdirSync(directory)
  await assert.rejects(startEmbeddedStore({ directory }), { code: 'AH_EMBEDDED_PATH', message: /has a "\?"/ })
})

test('a folder that is not there or no folder is refused', async (t) => {
  const parent = tempDir(t).path
  const expected = { code: 'AH_EMBEDDED_DIRECTORY', message: /cannot make its folder in .*: let "directory" name/ }
  await assert.rejects(startEmbeddedStore({ directory: join(parent, 'none') }), expected)
  writeFileSync(join(parent, 'file'), '')
  await assert.rejects(startEmbeddedStore({ directory: join(parent, 'file') }), expected)
})

test('a folder that may not be written is refused', async (t) => {
  const directory = tempDir(t).path
  chmodSync(directory, 0o755)
  const line = await failure(t, [directory], { uid: NOBODY, gid: NOBODY })
  assert.match(line, /^AH_EMBEDDED_DIRECTORY the embedded store cannot make its folder in ".*" \(EACCES: /)
})

test('a socket that cannot be bound is an error, and the next start works', async (t) => {
  const directory = tempDir(t).path
  const line = await failure(t, [directory, 'without-folder'])
  assert.match(line, /^AH_EMBEDDED_LISTEN the embedded store cannot listen on ".*redis\.sock" \(listen /)
  assert.equal(await failure(t, [directory]), 'started')
})

test('a Lua engine that cannot be loaded is an error, and leaves nothing behind', async (t) => {
  const directory = tempDir(t).path
  const line = await failure(t, [directory, 'without-descriptors'])
  assert.match(line, /^AH_EMBEDDED_SCRIPTS the embedded store cannot load its Lua engine \(.*EMFILE/)
  assert.deepEqual(readdirSync(directory), [])
})

/** The first line that a start which is to fail writes. */
async function failure(scope: TestScope, args: string[], as: { uid?: number; gid?: number } = {}): Promise<string> {
  const child = spawnNode(FAILED_START, { args, ...as }, scope)
  assert.equal((await child.exited).code, 0, child.stderr())
  return child.lines().find((line) => /^(AH_|started)/.test(line)) ?? child.stderr()
}
