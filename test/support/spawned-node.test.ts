// Tests Node processes under test and the watch inside them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAlive, nodes, spawnNode, tempDir, until } from './index.ts'

const ENDS = fileURLToPath(new URL('./programs/ends.js', import.meta.url))
const CRASHING_TEST = new URL('./programs/test-whose-child-crashes.js', import.meta.url)

// What each way of ending leaves in the files, in order.
const WAYS: Record<string, RegExp[]> = {
  well: [],
  'with exit code 3': [],
  'by a throw': [/^uncaughtException in process \d+: Error: thrown\n +at /],
  'by a later throw': [/^uncaughtException in process \d+: TypeError: thrown later\n +at /],
  'by a throw of undefined': [/^uncaughtException in process \d+: undefined$/],
  'by a rejection': [/^unhandledRejection in process \d+: Error: rejected\n +at /],
  'by a rejection with undefined': [/^unhandledRejection in process \d+: .*with the reason "undefined"/],
  'by a throw of something that cannot be shown': [/^uncaughtException in process \d+: a reason of type object/],
  'well after a rejection that its own listener took': [/^unhandledRejection/],
  'well after a throw that its own listener took': [/^uncaughtException/],
  'well after a rejection that was handled in time': [],
  // As the 'error' of the Worker, to which nobody listens.
  'by a throw in a thread': [/thrown in a thread/],
}

for (const { path: node, version } of nodes()) {
  for (const [way, expected] of Object.entries(WAYS)) {
    test(`Node ${version.split('.')[0]} that ends ${way} ends as without the watch, and the watch saw it`, async (t) => {
      const bare = spawn(node, [ENDS, way], { stdio: ['ignore', 'pipe', 'pipe'] })
      const bareStreams = Promise.all([text(bare.stdout), text(bare.stderr)])
      const [code, signal] = await once(bare, 'close')

      const child = spawnNode(ENDS, { args: [way], node, unhandledErrors: 'counted' }, t)
      assert.deepEqual(await child.exited, { code, signal })
      const [stdout, stderr] = await bareStreams
      assert.equal(child.stdout(), stdout)
      assert.equal(child.stderr(), stderr)

      const seen = await child.unhandled()
      assert.equal(seen.length, expected.length, seen.join('\n'))
      for (const [i, pattern] of expected.entries()) assert.match(seen[i]!, pattern)
    })
  }

  test(`Node ${version.split('.')[0]}: the watch is in forked grandchildren too`, async (t) => {
    const args = ['by a rejection', 'in a fork']
    const child = spawnNode(ENDS, { args, node, unhandledErrors: 'counted' }, t)
    assert.deepEqual(await child.exited, { code: 0, signal: null })
    const [seen, ...more] = await child.unhandled()
    assert.deepEqual(more, [])
    assert.doesNotMatch(seen!, new RegExp(`process ${child.pid}:`))
    await assert.rejects(child.assertNothingUnhandled(), /1 unhandled .*\n.*Error: rejected/)
  })
}

test("a child's unhandled error fails a test that does not look", async (t) => {
  const run = spawnNode(CRASHING_TEST, {}, t)
  assert.equal((await run.exited).code, 1)
  assert.match(run.stdout(), /1 unhandled in \d+/)
})

test("a child's unhandled error is left to a test that asked to count", async (t) => {
  const run = spawnNode(CRASHING_TEST, { args: ['counted'] }, t)
  assert.equal((await run.exited).code, 0)
})

test('killing a child tells the signal; its orphan is still known, and dies with the test', async (t) => {
  const child = spawnNode(ENDS, { args: ['never, with a child'] }, t)
  const orphan = Number((await child.waitForLine(/^pid (\d+)$/))[1])
  child.kill('SIGKILL')
  assert.deepEqual(await child.exited, { code: null, signal: 'SIGKILL' })
  assert.deepEqual(child.descendants(), [orphan])
  await child.dispose()
  assert.ok(!isAlive(orphan))
})

test('waiting for a line fails at once when the process ends, and shows what it wrote', async (t) => {
  const child = spawnNode(ENDS, { args: ['by a throw'], unhandledErrors: 'counted' }, t)
  await assert.rejects(child.waitForLine(/ready/, 60_000), /before the process ended[\s\S]*Error: thrown/)
})

test('a binary that does not exist ends with 127, as in a shell', async (t) => {
  const child = spawnNode(ENDS, { node: '/nowhere/node' }, t)
  assert.equal((await child.exited).code, 127)
  assert.match(child.stderr(), /No such file|ENOENT/)
})

test('messages pass over IPC', async (t) => {
  const { path } = tempDir(t)
  const file = join(path, 'echo.mjs')
  await writeFile(file, "process.on('message', (message) => process.send({ got: message }))")
  const { child } = spawnNode(file, { ipc: true }, t)
  child.send('hello')
  assert.deepEqual((await once(child, 'message'))[0], { got: 'hello' })
})

test('the child gets no variable behind the back of the test, and a folder of its own for temporary files', async (t) => {
  const { path } = tempDir(t)
  const file = join(path, 'show.mjs')
  await writeFile(
    file,
    "import { mkdtempSync } from 'node:fs'\nimport { tmpdir } from 'node:os'\n" +
      "mkdtempSync(tmpdir() + '/left-')\nconsole.log(JSON.stringify(process.env))",
  )
  process.env['REDIS_URL'] = 'redis://somewhere'
  process.env['FASTIFY_AH_WORKERS'] = '7'
  t.after(() => {
    delete process.env['REDIS_URL']
    delete process.env['FASTIFY_AH_WORKERS']
  })
  const child = spawnNode(file, { env: { PORT: '1', HOME: undefined } }, t)
  await child.exited
  const seen = JSON.parse(child.stdout())
  assert.deepEqual(
    ['REDIS_URL', 'FASTIFY_AH_WORKERS', 'NODE_TEST_CONTEXT', 'HOME', 'PORT'].map((name) => seen[name]),
    [undefined, undefined, undefined, undefined, '1'],
  )
  assert.match((await readdir(child.tmpDir)).join(), /^left-\w{6}$/)
})

test('as another user it is watched too', async (t) => {
  const isRoot = process.getuid!() === 0
  const [uid, gid] = isRoot ? [65_534, 65_534] : [process.getuid!(), process.getgid!()]
  const { path } = tempDir(t)
  await chmod(path, 0o755)
  const file = join(path, 'ends.mjs')
  await copyFile(ENDS, file)
  const child = spawnNode(file, { args: ['by a throw'], uid, gid, unhandledErrors: 'counted' }, t)
  assert.equal((await child.exited).code, 1)
  await until(async () => (await child.unhandled()).length === 1)
})
