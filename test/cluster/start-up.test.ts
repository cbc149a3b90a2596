// A start that fails: one clear message that says where, exit code 1, nothing left running.
import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { freePort, httpGet, isAlive, nodes, type SpawnedNode, spawnNode, tempDir } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { command, spawnCluster } from './running.ts'

/** Both ways to start; a cluster with two workers, so that one message is not one of each. */
const ways = [
  { name: 'start', args: ['start'] },
  { name: 'start cluster', args: ['start', 'cluster', '--workers', '2', '--no-embedded'] },
]

/** An app that cannot be started, and what must be said of it; FILE stands for its path. */
const broken: { what: string; source: string; message: string }[] = [
  {
    what: 'throws while it is imported',
    source: `const x = 1\nthrow new RangeError('no such luck')\n`,
    message: `FILE could not be started (AH_CLUSTER_APP_FAILED)\n  RangeError: no such luck\n      at file://FILE:2:7\n`,
  },
  {
    what: 'throws in its plugin',
    source: `export default async function app() {\n  await null\n  throw new Error('no database')\n}\n`,
    message: `FILE could not be started (AH_CLUSTER_APP_FAILED)\n  Error: no database\n      at app (file://FILE:3:9)\n`,
  },
  {
    what: 'throws with a cause',
    source: `export default async () => {\n  throw new Error('outer', { cause: new TypeError('inner') })\n}\n`,
    message:
      'FILE could not be started (AH_CLUSTER_APP_FAILED)\n  Error: outer\n      at default (file://FILE:2:9)\n' +
      '  caused by: TypeError: inner\n      at default (file://FILE:2:37)\n',
  },
  {
    what: 'throws a text',
    source: `export default async () => {\n  throw 'not today'\n}\n`,
    message: 'FILE could not be started (AH_CLUSTER_APP_FAILED)\n  Error: not today\n',
  },
  {
    what: 'has no default export',
    source: `export const plugin = async () => {}\n`,
    message:
      'FILE has no default export (it exports plugin): export default async function app(fastify, options) { … } (AH_CLUSTER_APP_INVALID)\n',
  },
  {
    what: 'exports no function',
    source: `export default 42\n`,
    message: 'FILE: the default export must be a Fastify plugin (a function), got number (AH_CLUSTER_APP_INVALID)\n',
  },
  {
    what: 'exports an instance instead of a plugin',
    source: `export default { listen() {} }\n`,
    message:
      'FILE exports a Fastify instance; export the plugin instead: export default async function app(fastify, options) { … } (AH_CLUSTER_APP_INVALID)\n',
  },
  {
    what: 'exports options that are no object',
    source: `export default async () => {}\nexport const options = 'fast'\n`,
    message: 'FILE: the export "options" must be an object, got string (AH_CLUSTER_APP_INVALID)\n',
  },
  {
    what: 'gives Fastify an option that it refuses',
    source: `export default async () => {}\nexport const options = { bodyLimit: 'much' }\n`,
    message:
      "FILE could not be started (AH_CLUSTER_APP_FAILED)\n  FastifyError: 'bodyLimit' option must be an integer > 0. Got 'much'",
  },
  {
    what: 'imports what does not exist',
    source: `import './gone.js'\nexport default async () => {}\n`,
    message: 'FILE could not be started (AH_CLUSTER_APP_FAILED)\n  Error [ERR_MODULE_NOT_FOUND]: Cannot find module ',
  },
  {
    what: 'adds a route twice',
    source: `export default async (app) => {\n  app.get('/', async () => 1)\n  app.get('/', async () => 2)\n}\n`,
    message: `FILE could not be started (AH_CLUSTER_APP_FAILED)\n  FastifyError: Method 'GET' already declared for route '/'\n      at default (file://FILE:3:7)\n`,
  },
]

for (const { what, source, message } of broken) {
  for (const { name, args } of ways) {
    test(`${name}: an app that ${what} is one message and exit code 1`, async (t) => {
      const file = appFile(t, { 'app.mjs': source })
      const node = spawnNode(
        command,
        { args: [...args, file, '--host', '127.0.0.1', '--port', String(await freePort())] },
        t,
      )
      assert.deepEqual(await node.exited, { code: 1, signal: null })
      const expected = `fastify-ah: ${message.replaceAll('FILE', file)}`
      assert.ok(node.stderr().startsWith(expected), `${node.stderr()}\n-- expected --\n${expected}`)
      assert.equal(node.stderr().match(/AH_CLUSTER_/g)?.length, 1, 'told once')
      assert.doesNotMatch(node.stdout(), /"level":[56]0/, 'and not in the log besides')
      assert.deepEqual(node.descendants(), [])
    })
  }
}

for (const { version, path } of nodes()) {
  test(`Node ${version}: of a syntax error in a file that the app imports the message says where it is`, async (t) => {
    const file = appFile(t, {
      'app.mjs': `import './inner.mjs'\nexport default async () => {}\n`,
      'inner.mjs': 'const a = 1\nconst b = { c 2 }\n',
    })
    for (const { args } of ways) {
      // Node's own crash report is what knows the place; the process that makes it counts as unhandled.
      const all = [...args, file, '--host', '127.0.0.1', '--port', String(await freePort())]
      const node = spawnNode(command, { node: path, args: all, unhandledErrors: 'counted' }, t)
      assert.deepEqual(await node.exited, { code: 1, signal: null })
      assert.ok(node.stderr().includes(`file://${join(dirname(file), 'inner.mjs')}:2\n`), node.stderr())
      assert.match(node.stderr(), /SyntaxError: Unexpected (number|token)/)
    }
  })
}

test('a process that ends by itself or hangs while it boots is a failed start', async (t) => {
  const exits = appFile(t, { 'app.mjs': 'process.exit(0)\n' })
  const first = await spawnCluster({ app: exits }, t)
  assert.deepEqual(await first.node.exited, { code: 1, signal: null })
  assert.equal(
    first.node.stderr(),
    `fastify-ah: ${exits} could not be started: its process ended by itself with exit code 0 (AH_CLUSTER_APP_FAILED)\n`,
  )
  const hangs = appFile(t, { 'app.mjs': 'await new Promise(() => {})\n' })
  const second = await spawnCluster({ app: hangs, args: ['--ready-ms', '1500'] }, t)
  assert.deepEqual(await second.node.exited, { code: 1, signal: null })
  assert.equal(
    second.node.stderr(),
    `fastify-ah: ${hangs} was not ready within 1500 ms (--ready-ms) (AH_CLUSTER_NOT_READY)\n`,
  )
})

test('an error that nobody catches while the app boots is told with its stack', async (t) => {
  const file = appFile(t, {
    'app.mjs': `setTimeout(() => {\n  throw new TypeError('too late')\n}, 50)\nexport default () => new Promise(() => {})\n`,
  })
  const { node } = await spawnCluster({ app: file, unhandledErrors: 'counted' }, t)
  assert.deepEqual(await node.exited, { code: 1, signal: null })
  assert.match(
    node.stderr(),
    /could not be started \(AH_CLUSTER_APP_FAILED\)\n {2}TypeError: too late\n {6}at .*app\.mjs:2:9/,
  )
})

test('where no app file is, the message says what was looked for', async (t) => {
  const dir = tempDir(t).path
  for (const { args } of ways) {
    const missing = spawnNode(command, { args, cwd: dir }, t)
    assert.deepEqual(await missing.exited, { code: 1, signal: null })
    assert.equal(
      missing.stderr(),
      `fastify-ah: there is no app file in ${dir}; looked for app.js, app.mjs, app.cjs, app.ts, app.mts, src/app.js, src/app.mjs, src/app.cjs, src/app.ts, src/app.mts (AH_CLUSTER_APP_NOT_FOUND)\n`,
    )
    const named = spawnNode(command, { args: [...args, 'server.js'], cwd: dir }, t)
    assert.deepEqual(await named.exited, { code: 1, signal: null })
    assert.equal(named.stderr(), `fastify-ah: there is no app file ${dir}/server.js (AH_CLUSTER_APP_NOT_FOUND)\n`)
  }
})

test('an app file is found by its default name, in src, in a folder that is named, and through PROJECT_ROOT', async (t) => {
  const source = `import { basename } from 'node:path'\nexport default async (app) => {\n  app.get('/', async () => ({ cwd: basename(process.cwd()) }))\n}\n`
  const root = dirname(dirname(appFile(t, { 'src/app.mjs': source })))
  const here = dirname(appFile(t, { 'app.mjs': source }))
  for (const [options, args] of [
    [{ cwd: join(root, 'src') }, []],
    [{ cwd: root }, []],
    [{ cwd: root }, ['src']],
    [{ cwd: here, env: { PROJECT_ROOT: root } }, []],
  ] as [object, string[]][]) {
    const port = await freePort()
    const all = ['start', ...args, '--port', String(port), '--host', '127.0.0.1']
    const node: SpawnedNode = spawnNode(command, { ...options, args: all }, t)
    await node.waitForLine(/listening on/)
    assert.equal((await httpGet({ port })).status, 200)
  }
})

test('nothing of a failed start outlives it, not even a worker that hears nothing', async (t) => {
  const file = appFile(t, { 'app.mjs': `process.stdout.write('here\\n')\nfor (;;);\n` })
  const cluster = await spawnCluster({ app: file, workers: 1 }, t)
  await cluster.node.waitForLine(/^here$/)
  const workers = cluster.node.descendants()
  assert.equal(workers.length, 1)
  cluster.node.kill('SIGTERM')
  assert.deepEqual(await cluster.node.exited, { code: 1, signal: null })
  assert.deepEqual(workers.filter(isAlive), [])
})
