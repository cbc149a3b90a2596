// The environment: files of variables, ActionHero's names, and who may connect to the unix socket.
import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { freePort, httpGet, nodes, spawnNode, tempDir } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { command, fixture, getJson, spawnCluster, startCluster } from './running.ts'

const SHOWS = `export default async (app) => {
  const seen = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('SEEN_')))
  app.get('/', async () => ({ pid: process.pid, ...seen() }))
}\n`

const FIRST =
  'SEEN_FIRST=from the first\nSEEN_BOTH=from the first\nSEEN_REAL=from the first\n# a comment\nSEEN_QUOTED="a\\nb"\n'
const SECOND = 'SEEN_BOTH=from the second\n'

test('--env-file may be repeated: the last file wins, what is really set wins over all', async (t) => {
  const app = appFile(t, { 'app.mjs': SHOWS, 'first.env': FIRST, 'second.env': SECOND })
  const files = ['first.env', 'second.env'].map((name) => join(dirname(app), name))
  const expected = {
    SEEN_FIRST: 'from the first',
    SEEN_BOTH: 'from the second',
    SEEN_REAL: 'really',
    SEEN_QUOTED: 'a\nb',
  }
  const env = { SEEN_REAL: 'really' }
  for (const { path } of nodes()) {
    const cluster = await startCluster(
      { app, workers: 1, node: path, env, args: files.flatMap((file) => ['--env-file', file]) },
      t,
    )
    const { pid: _, ...seen } = await getJson(cluster.target, '/')
    assert.deepEqual(seen, expected)
  }
  const byVariable = await startCluster({ app, workers: 1, env: { ...env, FASTIFY_AH_ENV_FILE: files.join(', ') } }, t)
  const { pid: _, ...seen } = await getJson(byVariable.target, '/')
  assert.deepEqual(seen, expected)
  const port = await freePort()
  const args = ['start', app, '--port', String(port), '--host', '127.0.0.1', `--env-file=${files[0]}`]
  await spawnNode(command, { args, env }, t).waitForLine(/listening on/)
  assert.equal((await getJson({ port }, '/'))['SEEN_BOTH'], 'from the first')
})

test('what a file says of flags, of PORT and of PROJECT_ROOT counts like the environment', async (t) => {
  const port = await freePort()
  const root = dirname(appFile(t, { 'app.mjs': SHOWS }))
  const text = `PORT=${port}\nFASTIFY_AH_HOST=127.0.0.1\nFASTIFY_AH_TITLE=by-file\nPROJECT_ROOT=${root}\n`
  const file = appFile(t, { '.env': text })
  const node = spawnNode(
    command,
    { args: ['start', 'cluster', '-w', '1', '--no-embedded', '--env-file', file], cwd: tempDir(t).path },
    t,
  )
  await node.waitForLine(/equilibrium/, 30_000)
  assert.equal((await httpGet({ port })).status, 200)
})

test('[71] the files are read anew for each worker that starts', async (t) => {
  const app = appFile(t, { 'app.mjs': SHOWS, '.env': 'SEEN_RELEASE=one\n' })
  const file = join(dirname(app), '.env')
  const cluster = await startCluster({ app, workers: 1, args: ['--env-file', file] }, t)
  const before = await getJson<{ pid: number; SEEN_RELEASE: string }>(cluster.target, '/')
  writeFileSync(file, 'SEEN_RELEASE=two\n')
  process.kill(before.pid, 'SIGTERM')
  await cluster.untilServing({ count: 1, not: [before.pid] })
  const after = await getJson<{ SEEN_RELEASE: string }>(cluster.target, '/')
  assert.deepEqual([before.SEEN_RELEASE, after.SEEN_RELEASE], ['one', 'two'])
})

test('a file that names another is not followed, and that is said', async (t) => {
  const app = appFile(t, { 'app.mjs': SHOWS, 'first.env': 'FASTIFY_AH_ENV_FILE=second.env\n', 'second.env': SECOND })
  const cluster = await startCluster({ app, workers: 1, args: ['--env-file', join(dirname(app), 'first.env')] }, t)
  assert.equal(
    cluster.node.stderr(),
    'fastify-ah: FASTIFY_AH_ENV_FILE in a file of variables is not followed: name all of them where the first is named\n',
  )
})

test('a file that is not there is a clear message', async (t) => {
  const { node } = await spawnCluster({ env: { FASTIFY_AH_ENV_FILE: 'missing.env' }, cwd: tempDir(t).path }, t)
  assert.deepEqual(await node.exited, { code: 2, signal: null })
  assert.match(
    node.stderr(),
    /^fastify-ah: --env-file: \/\S+missing\.env cannot be read: ENOENT.*\(AH_CLUSTER_USAGE\)\n$/,
  )
  for (const { path } of nodes()) {
    // Node looks at this flag wherever it stands, and refuses to start.
    const byFlag = spawnNode(command, { node: path, args: ['start', '--env-file', 'missing.env'] }, t)
    assert.deepEqual(await byFlag.exited, { code: 9, signal: null })
    assert.match(byFlag.stderr(), /missing\.env: not found/)
  }
})

test('ActionHero’s variables: a TCP server is a warning, ACTIONHERO_ROOT is ignored, nonsense is an error', async (t) => {
  const ignored = {
    ENABLE_TCP_SERVER: 'true',
    ENABLE_WEBSOCKET_SERVER: 'true',
    ENABLE_WEB_SERVER: 'TRUE',
    ACTIONHERO_ROOT: '/srv',
  }
  const cluster = await startCluster({ workers: 1, env: ignored }, t)
  assert.equal(
    cluster.node.stderr(),
    'fastify-ah: ENABLE_TCP_SERVER is set, but there is no TCP server: clients have to come by HTTP or websocket\n' +
      'fastify-ah: ACTIONHERO_ROOT is ignored: nothing of ActionHero is loaded; the project is PROJECT_ROOT\n',
  )
  const silent = await startCluster({ workers: 1, env: { ENABLE_TCP_SERVER: 'false', ENABLE_WEBSOCKET_SERVER: '' } }, t)
  assert.equal(silent.node.stderr(), '')
  for (const name of ['ENABLE_TCP_SERVER', 'ENABLE_WEB_SERVER', 'ENABLE_WEBSOCKET_SERVER']) {
    const { node } = await spawnCluster({ env: { [name]: 'perhaps' } }, t)
    assert.deepEqual(await node.exited, { code: 2, signal: null })
    assert.equal(node.stderr(), `fastify-ah: ${name}: expected true or false, got "perhaps" (AH_CLUSTER_USAGE)\n`)
  }
})

for (const env of [{ ENABLE_WEB_SERVER: 'false' }, { ACTIONHERO_ROLE: 'worker' }] as Record<string, string>[]) {
  test(`${JSON.stringify(env)}: the app runs and takes no connections, as one process and as a cluster`, async (t) => {
    const app = appFile(t, {
      'app.mjs': `export default async (app) => {
        app.addHook('onReady', async () => console.log('ready, listening: ' + app.server.listening))
        app.addHook('onClose', async () => console.log('closed'))
      }\n`,
    })
    const cluster = await startCluster({ app, workers: 1, env }, t)
    const port = await freePort()
    const single = spawnNode(command, { args: ['start', app, '--port', String(port)], env }, t)
    await single.waitForLine(/^started, takes no connections$/)
    for (const target of [cluster.target, { port }]) await assert.rejects(httpGet(target), { code: 'ECONNREFUSED' })
    single.kill('SIGTERM')
    for (const exit of [await cluster.stop(), await single.exited]) assert.deepEqual(exit, { code: 0, signal: null })
    for (const node of [cluster.node, single]) {
      assert.deepEqual(
        node.lines().filter((line) => /^(ready|closed)/.test(line)),
        ['ready, listening: false', 'closed'],
      )
    }
  })
}

test('--socket-mode and --socket-group say who may connect, before anybody can', async (t) => {
  for (const words of [['start'], ['start', 'cluster', '--workers', '1', '--no-embedded']]) {
    const socket = join(tempDir(t).path, 'app.sock')
    const gid = someGroup()
    const args = [...words, fixture('app'), '--socket', socket, '--socket-mode', '0660', '--socket-group', String(gid)]
    const node = spawnNode(command, { args, cwd: dirname(socket) }, t)
    await node.waitForLine(/equilibrium|listening on/, 30_000)
    const { mode, gid: found } = statSync(socket)
    assert.deepEqual([(mode & 0o777).toString(8), found], ['660', gid])
    assert.equal((await httpGet({ socketPath: socket })).status, 200)
  }
})

test('a group that does not exist, and a mode that is none, are clear messages; no socket is left', async (t) => {
  const dir = tempDir(t).path
  const cluster = await spawnCluster({ socket: join(dir, 'app.sock'), args: ['--socket-group', 'no-such-group'] }, t)
  assert.deepEqual(await cluster.node.exited, { code: 1, signal: null })
  assert.match(
    cluster.node.stderr(),
    /^fastify-ah: the socket \S+app\.sock cannot be given to the group "no-such-group": invalid group.* \(AH_CLUSTER_ADDRESS_INVALID\)\n$/,
  )
  assert.throws(() => statSync(join(dir, 'app.sock')), { code: 'ENOENT' })
  for (const mode of ['rw', '0999', '77', '10660']) {
    const { node } = await spawnCluster({ socket: join(dir, 'app.sock'), args: ['--socket-mode', mode] }, t)
    assert.deepEqual(await node.exited, { code: 2, signal: null })
    assert.match(node.stderr(), new RegExp(`option "--socket-mode": expected an octal mode like "0660", got "${mode}"`))
  }
})

test('a mode for a TCP port is a warning', async (t) => {
  const cluster = await startCluster({ workers: 1, args: ['--socket-mode', '0660'] }, t)
  assert.equal(cluster.node.stderr(), 'fastify-ah: a mode and a group of the socket mean nothing for a TCP port\n')
})

/** A group that this user may give a file to; as root one that is not its own. */
function someGroup(): number {
  const groups = process.getgroups!()
  return process.getuid!() === 0 ? 1 : (groups.find((gid) => gid !== process.getgid!()) ?? process.getgid!())
}
