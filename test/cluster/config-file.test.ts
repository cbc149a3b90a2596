// The config file: found, named, checked, and in its place between the environment and the defaults.
import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Exit, freePort, type SpawnedNode, spawnNode, tempDir } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { command, fixture, getJson } from './running.ts'

interface Who {
  readonly cluster: { readonly title: string }
}

/** The same words in each of the three forms. */
const forms: { name: string; text: (options: object) => string }[] = [
  { name: 'fastify-ah.config.js', text: (options) => `module.exports = ${JSON.stringify(options)}\n` },
  { name: 'fastify-ah.config.mjs', text: (options) => `export default ${JSON.stringify(options)}\n` },
  { name: 'fastify-ah.config.json', text: (options) => JSON.stringify(options) },
]

for (const { name, text } of forms) {
  test(`${name} is found in the project's folder and serves both commands`, async (t) => {
    for (const words of [['start'], ['start', 'cluster']]) {
      const port = await freePort()
      const options = { app: fixture('app'), port, host: '127.0.0.1', title: 'by-file', workers: 1, embedded: false }
      const root = dirname(appFile(t, { [name]: text(options) }))
      await untilServing(start(t, root, words))
      const expected = words.length === 1 ? 'by-file' : 'by-file-worker-1'
      assert.equal((await getJson<Who>({ port }, '/who')).cluster.title, expected)
    }
  })
}

test('flags win over variables, these over ActionHero’s, these over the config file', async (t) => {
  const port = await freePort()
  const options = { app: fixture('app'), port: 1, host: '127.0.0.1', title: 'by-file', workers: 1, embedded: false }
  const root = dirname(appFile(t, { 'fastify-ah.config.json': JSON.stringify(options) }))
  const title = async (args: string[], env: Record<string, string>) => {
    const node = start(t, root, ['start', 'cluster', ...args], { PORT: String(port), ...env })
    await untilServing(node)
    const { cluster } = await getJson<Who>({ port }, '/who')
    node.kill('SIGTERM')
    await node.exited
    return cluster.title
  }
  const ours = { FASTIFY_AH_TITLE: 'by-variable' }
  const actionHeros = { ACTIONHERO_TITLE: 'by-actionhero' }
  assert.equal(await title(['--title', 'by-flag'], { ...ours, ...actionHeros }), 'by-flag-worker-1')
  assert.equal(await title([], { ...ours, ...actionHeros }), 'by-variable-worker-1')
  assert.equal(await title([], actionHeros), 'by-actionhero-worker-1')
  assert.equal(await title([], {}), 'by-file-worker-1')
})

test('a port and a socket replace each other from layer to layer', async (t) => {
  const root = dirname(
    appFile(t, { 'fastify-ah.config.json': JSON.stringify({ socket: 'app.sock', host: '127.0.0.1' }) }),
  )
  const wrong = await runCommand(t, root, ['start', fixture('app')])
  assert.match(wrong.stderr, /a unix socket .* has no host; got host "127.0.0.1"/)
  const port = await freePort()
  const node = start(t, root, ['start', fixture('app'), '--port', String(port)])
  await node.waitForLine(new RegExp(`listening on http://127.0.0.1:${port}$`))
})

test('--config, its variable and ACTIONHERO_CONFIG name a file or a folder', async (t) => {
  const port = await freePort()
  const file = appFile(t, { 'fastify-ah.config.mjs': `export default { port: ${port}, host: '127.0.0.1' }\n` })
  const other = appFile(t, { 'production.json': JSON.stringify({ port, host: '127.0.0.1' }) })
  const cwd = tempDir(t).path
  for (const [args, env] of [
    [['--config', file], {}],
    [['--config', dirname(file)], {}],
    [['--config', other], {}],
    [[], { FASTIFY_AH_CONFIG: other }],
    [[], { ACTIONHERO_CONFIG: dirname(file) }],
    [['--config', other], { FASTIFY_AH_CONFIG: '/nowhere', ACTIONHERO_CONFIG: '/nowhere' }],
  ] as [string[], Record<string, string>][]) {
    const node = start(t, cwd, ['start', fixture('app'), ...args], env)
    await node.waitForLine(new RegExp(`listening on http://127.0.0.1:${port}$`))
    node.kill('SIGTERM')
    await node.exited
  }
})

test('root in the file is meant from where the file lies', async (t) => {
  const app = `export default async (app) => { app.get('/', async () => ({ cwd: process.cwd() })) }\n`
  const file = appFile(t, {
    'deploy/fastify-ah.config.json': JSON.stringify({ root: '../project', app: 'main.mjs', host: '127.0.0.1' }),
    'project/main.mjs': app,
  })
  const port = await freePort()
  const node = start(t, tempDir(t).path, ['start', '--config', file, '--port', String(port)])
  await node.waitForLine(/listening on/)
  const { cwd } = await getJson<{ cwd: string }>({ port }, '/')
  assert.equal(cwd, join(dirname(dirname(file)), 'project'))
})

const wrong: { what: string; files: Record<string, string>; args?: string[]; message: RegExp }[] = [
  {
    what: 'an unknown option',
    files: { 'fastify-ah.config.json': '{ "wrokers": 2 }' },
    message:
      /^fastify-ah: \/\S+fastify-ah\.config\.json: unknown option "wrokers", did you mean "workers"\? \(AH_CLUSTER_USAGE\)\n$/,
  },
  {
    what: 'several wrong values',
    files: { 'fastify-ah.config.mjs': 'export default { workers: "two", port: 70000, drainMs: -1 }\n' },
    message:
      /^fastify-ah: \/\S+\.mjs: option "workers": expected integer, got "two"; option "port": expected a port .*, got 70000; option "drainMs": expected a value >= 0, got -1 /,
  },
  {
    what: 'a mode as a number',
    files: { 'fastify-ah.config.mjs': 'export default { socketMode: 0o660 }\n' },
    message: /option "socketMode": expected an octal mode like "0660", got 432/,
  },
  {
    what: 'what says where to read from',
    files: { 'fastify-ah.config.json': '{ "envFile": [".env"] }' },
    message: /option "envFile" belongs on the command line or into the environment/,
  },
  {
    what: 'no object',
    files: { 'fastify-ah.config.json': '[]' },
    message: /\.json: expected an object of options, got a list/,
  },
  {
    what: 'no JSON',
    files: { 'fastify-ah.config.json': '{ workers: 2 }' },
    message: /^fastify-ah: \/\S+\.json cannot be read: .*JSON/,
  },
  {
    what: 'no default export',
    files: { 'fastify-ah.config.mjs': 'export const workers = 2\n' },
    message: /\.mjs has no default export: export default \{ workers: 2, port: 8080 \}/,
  },
  {
    what: 'a function',
    files: { 'fastify-ah.config.mjs': 'export default () => ({})\n' },
    message: /\.mjs: expected an object of options, got a function/,
  },
  {
    what: 'code that throws',
    files: { 'fastify-ah.config.mjs': '\nthrow new RangeError("no luck")\n' },
    message: /\.mjs cannot be read \(AH_CLUSTER_USAGE\)\nRangeError: no luck\n +at file:\S+\.mjs:2:7/,
  },
  {
    what: 'another file beside it',
    files: { 'fastify-ah.config.mjs': 'export default {}\n', 'fastify-ah.config.json': '{}' },
    message: /there are several config files: \S+\.mjs, \S+\.json; name one with --config/,
  },
  {
    what: 'a name that is not there',
    files: { 'app.mjs': '' },
    args: ['--config', 'production.json'],
    message: /^fastify-ah: --config: there is no config file \/\S+production\.json \(AH_CLUSTER_USAGE\)\n$/,
  },
  {
    what: 'a folder without one',
    files: { 'app.mjs': '' },
    args: ['--config', '.'],
    message:
      /^fastify-ah: --config: there is no fastify-ah\.config\.js, fastify-ah\.config\.mjs, fastify-ah\.config\.json in \//,
  },
]

for (const { what, files, args = [], message } of wrong) {
  test(`a config file with ${what} is explained, with exit code 2`, async (t) => {
    const { exit, stderr, stdout } = await runCommand(t, dirname(appFile(t, files)), ['start', 'cluster', ...args])
    assert.deepEqual([exit, stdout], [{ code: 2, signal: null }, ''])
    assert.match(stderr, message)
  })
}

function start(t: TestContext, cwd: string, args: string[], env: Record<string, string> = {}): SpawnedNode {
  return spawnNode(command, { args, env, cwd }, t)
}

function untilServing(node: SpawnedNode): Promise<RegExpMatchArray> {
  return node.waitForLine(/equilibrium|listening on/, 30_000)
}

async function runCommand(
  t: TestContext,
  cwd: string,
  args: string[],
): Promise<{ exit: Exit; stdout: string; stderr: string }> {
  const node = start(t, cwd, args)
  const exit = await node.exited
  return { exit, stdout: node.stdout(), stderr: node.stderr() }
}
