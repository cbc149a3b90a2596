// What is written on the command line and in the environment: checked, explained, and in the right order of precedence.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Exit, freePort, spawnNode, tempDir } from 'fastify-ah-test-support'
import { command, fixture, getJson, startCluster } from './running.ts'

/** Wrong usage: what is said, always with exit code 2. */
const wrong: { args: string[]; env?: Record<string, string>; message: string | RegExp }[] = [
  { args: ['strat'], message: /^fastify-ah: unknown command "strat", did you mean "start"\?/ },
  {
    args: ['serve'],
    message: /^fastify-ah: unknown command "serve"; there are: start cluster, start, reload, stop, status, scale, help/,
  },
  {
    args: ['start', 'cluster', '--wrokers', '3'],
    message: 'fastify-ah start cluster: unknown option "--wrokers", did you mean "--workers"? (AH_CLUSTER_USAGE)\n',
  },
  { args: ['start', '--wat'], message: /^fastify-ah start: unknown option "--wat"; there are: --port, --host, / },
  { args: ['start', '--workers', '2'], message: /^fastify-ah start: unknown option "--workers"/ },
  { args: ['start', '-x'], message: /^fastify-ah start: unknown option "-x"; there are: / },
  {
    args: ['start', 'cluster', '--workers', 'many'],
    message: 'fastify-ah start cluster: option "--workers": expected integer, got "many" (AH_CLUSTER_USAGE)\n',
  },
  { args: ['start', 'cluster', '--workers', '0'], message: /option "--workers": expected a value >= 1, got 0/ },
  { args: ['start', 'cluster', '--workers=-2'], message: /option "--workers": expected a value >= 1, got -2/ },
  { args: ['start', 'cluster', '--workers', '1.5'], message: /option "--workers": expected integer, got 1.5/ },
  { args: ['start', 'cluster', '--workers'], message: /option "--workers" needs a value/ },
  { args: ['start', 'cluster', '-w'], message: /option "--workers" needs a value/ },
  {
    args: ['start', '--port', '70000'],
    message: /option "--port": expected a port from 0 to 65535, or a socket path with a "\/", got 70000/,
  },
  { args: ['start', '--port', 'http'], message: /option "--port": expected a port from 0 to 65535, .*, got "http"/ },
  { args: ['start', '--title', 'a/b'], message: /option "--title": expected a name without a "\/", got "a\/b"/ },
  {
    args: ['start', 'cluster', '--roles', 'web'],
    message: /option "--roles": expected a number for each role, as in "web=2,worker=1", got "web"/,
  },
  { args: ['start', 'cluster', '--ready-ms', '0'], message: /option "--ready-ms": expected a value >= 1, got 0/ },
  { args: ['start', '--drain-ms', '9999999999'], message: /option "--drain-ms": expected a value <= 2147483647/ },
  { args: ['start', '--embedded=maybe'], message: /option "--embedded": expected boolean, got "maybe"/ },
  {
    args: ['start', 'cluster', '--log-level', 'loud'],
    message: /option "--log-level": expected one of "trace", .*, got "loud"/,
  },
  { args: ['start', '--port', '80', '--socket', '/tmp/x'], message: /give either a port or a socket, not both/ },
  {
    args: ['start', '--socket', '/tmp/x', '--host', 'localhost'],
    message: /a unix socket .* has no host; got host "localhost"/,
  },
  { args: ['start', 'a.js', 'b.js'], message: /one app, got a\.js b\.js/ },
  // ActionHero's names
  {
    args: ['start', 'cluster', '--workerTitlePrefix=hostname'],
    message: /option "--workerTitlePrefix" is now called "--title"/,
  },
  { args: ['start', 'cluster', '--silent'], message: /option "--silent" is gone: use --log-level silent/ },
  { args: ['start', 'cluster', '--exec', 'app.js'], message: /option "--exec" is gone: name the app file as argument/ },
  // The environment is checked alike, and named as it is written
  {
    args: ['start', 'cluster'],
    env: { FASTIFY_AH_WORKERS: 'many' },
    message: /option "FASTIFY_AH_WORKERS": expected integer, got "many"/,
  },
  {
    args: ['start'],
    env: { PORT: 'eighty' },
    message: /PORT: expected a port from 0 to 65535, or a socket path with a "\/", got "eighty"/,
  },
]

for (const { args, env = {}, message } of wrong) {
  const shown = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), 'fastify-ah', ...args].join(' ')
  test(`"${shown}" is explained, with exit code 2`, async (t) => {
    const { exit, stderr, stdout } = await runCommand(t, args, env)
    assert.deepEqual(exit, { code: 2, signal: null })
    if (typeof message === 'string') assert.equal(stderr, message)
    else assert.match(stderr, message)
    assert.equal(stderr.trimEnd().split('\n').length, 1, 'one line')
    assert.equal(stdout, '')
  })
}

test('without a command the overview goes to stderr, with exit code 2; --help, -h and help print it', async (t) => {
  const { exit, stderr } = await runCommand(t, [])
  assert.deepEqual(exit, { code: 2, signal: null })
  assert.match(stderr, /fastify-ah start cluster \[app\]/)
  for (const args of [['--help'], ['-h'], ['help']]) {
    const help = await runCommand(t, args)
    assert.deepEqual(help, { exit: { code: 0, signal: null }, stdout: stderr, stderr: '' })
  }
})

test('each command has its help, in all the places where one looks, with every flag, its default and its variable', async (t) => {
  for (const words of [['start'], ['start', 'cluster']]) {
    const { stdout } = await runCommand(t, ['help', ...words])
    for (const args of [
      [...words, '--help'],
      [...words, '-h'],
      [...words, 'app.js', '--wat', '--help'],
    ]) {
      assert.deepEqual(await runCommand(t, args), { exit: { code: 0, signal: null }, stdout, stderr: '' })
    }
    assert.match(stdout, new RegExp(`^Usage: fastify-ah ${words.join(' ')} \\[app\\] \\[flags\\]$`, 'm'))
    assert.match(stdout, /--port <port> .*\(default 8080\)\n +FASTIFY_AH_PORT$/m)
    assert.match(stdout, /--embedded, --no-embedded /)
    assert.doesNotMatch(stdout, /--[\w-]*[A-Z]/, 'flags have no capitals')
    assert.equal(stdout.includes('FASTIFY_AH_READY_MS'), words.length === 2)
  }
})

test('--version and -v print the version of the package', async (t) => {
  const { stdout } = await runCommand(t, ['--version'])
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  assert.equal((await runCommand(t, ['-v'])).stdout, stdout)
})

test('flags win over FASTIFY_AH_ variables, these over PORT and ACTIONHERO_TITLE', async (t) => {
  const [byFlag, byVariable, byPort] = [await freePort(), await freePort(), await freePort()]
  const env = {
    PORT: String(byPort),
    ACTIONHERO_TITLE: 'from-actionhero',
    FASTIFY_AH_PORT: String(byVariable),
    FASTIFY_AH_HOST: '127.0.0.1',
    FASTIFY_AH_TITLE: 'from-variable',
    FASTIFY_AH_DRAIN_MS: '100',
  }
  const start = async (args: string[], variables: Record<string, string>) => {
    const node = spawnNode(
      command,
      {
        args: ['start', 'cluster', fixture('app'), '-w', '1', '--no-embedded', '--pids', tempDir(t).path, ...args],
        env: variables,
      },
      t,
    )
    await node.waitForLine(/equilibrium/, 30_000)
  }
  const titleAt = async (port: number) =>
    (await getJson<{ cluster: { title: string } }>({ port }, '/who')).cluster.title
  await start(['--port', String(byFlag), '--title', 'from-flag'], env)
  assert.equal(await titleAt(byFlag), 'from-flag-worker-1')
  await start([], env)
  assert.equal(await titleAt(byVariable), 'from-variable-worker-1')
  await start(['--host', '127.0.0.1'], { PORT: String(byPort), ACTIONHERO_TITLE: 'from-actionhero' })
  assert.equal(await titleAt(byPort), 'from-actionhero-worker-1')
})

test('the title "hostname", and none, is the name of this machine', async (t) => {
  for (const args of [['--title', 'hostname'], []]) {
    const cluster = await startCluster({ workers: 1, args }, t)
    const { cluster: seen } = await getJson<{ cluster: { title: string } }>(cluster.target, '/who')
    assert.equal(seen.title, `${hostname()}-worker-1`)
  }
})

test('a variable with our prefix that means nothing is a warning, since it may be meant for another release', async (t) => {
  const cluster = await startCluster({ workers: 1, env: { FASTIFY_AH_WROKERS: '3' } }, t)
  assert.equal(
    cluster.node.stderr(),
    'fastify-ah: the variable FASTIFY_AH_WROKERS means nothing to "fastify-ah start cluster"\n',
  )
})

test('what Node was started with reaches the workers: --import and NODE_OPTIONS', async (t) => {
  const dir = tempDir(t).path
  const marks = ['byArgument', 'byOptions'].map((name) => {
    const file = join(dir, `${name}.mjs`)
    writeFileSync(file, `globalThis.marks = [...(globalThis.marks ?? []), '${name}']\n`)
    return file
  })
  const app = join(dir, 'app.mjs')
  writeFileSync(app, `export default async (app) => {\n  app.get('/', async () => globalThis.marks)\n}\n`)
  const cluster = await startCluster(
    { app, workers: 1, execArgv: ['--import', marks[0]!], env: { NODE_OPTIONS: `--import=${marks[1]}` } },
    t,
  )
  assert.deepEqual((await getJson<string[]>(cluster.target, '/')).sort(), ['byArgument', 'byOptions'])
})

async function runCommand(
  t: TestContext,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ exit: Exit; stdout: string; stderr: string }> {
  const node = spawnNode(command, { args, env, cwd: tempDir(t).path }, t)
  const exit = await node.exited
  return { exit, stdout: node.stdout(), stderr: node.stderr() }
}
