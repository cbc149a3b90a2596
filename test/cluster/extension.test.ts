// Commands that other packages bring: found beside the app, listed in the help, and explained when they are missing.
import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Exit, spawnNode, tempDir } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { command } from './running.ts'

const PRINTS_ARGS = `export async function run(args) {
  process.stdout.write(JSON.stringify({ args, cwd: process.cwd() }) + '\\n')
  return args.includes('--fail') ? 7 : 0
}\n`

test('any other name is run by the package beside the app, with its arguments and its exit code', async (t) => {
  const root = project(t, { jobs: { cli: PRINTS_ARGS } })
  const fine = await runCommand(t, root, ['jobs', 'list', '--limit', '3', '--', '-x'])
  assert.deepEqual(fine.exit, { code: 0, signal: null })
  assert.deepEqual(JSON.parse(fine.stdout), { args: ['list', '--limit', '3', '--', '-x'], cwd: realpathSync(root) })
  const failed = await runCommand(t, root, ['jobs', '--fail'])
  assert.deepEqual(failed.exit, { code: 7, signal: null })
  const help = await runCommand(t, root, ['help', 'jobs'])
  assert.deepEqual((JSON.parse(help.stdout) as { args: string[] }).args, ['--help'])
})

test('it is looked for from PROJECT_ROOT, and from the folders above', async (t) => {
  const root = project(t, { jobs: { cli: PRINTS_ARGS } })
  const inner = join(root, 'services', 'web')
  mkdirSync(inner, { recursive: true })
  const elsewhere = tempDir(t).path
  assert.equal((await runCommand(t, inner, ['jobs'])).exit.code, 0)
  assert.equal((await runCommand(t, elsewhere, ['jobs'], { PROJECT_ROOT: root })).exit.code, 0)
  const link = join(elsewhere, 'current')
  symlinkSync(root, link)
  assert.equal((await runCommand(t, elsewhere, ['jobs'], { PROJECT_ROOT: link })).exit.code, 0)
})

test('the help lists those that are installed, with what they say of themselves, and no other package', async (t) => {
  const root = project(t, {
    jobs: { cli: PRINTS_ARGS, description: 'Lists and retries jobs' },
    silent: { cli: PRINTS_ARGS },
    library: {},
  })
  mkdirSync(join(root, 'node_modules/fastify-ah-broken'))
  writeFileSync(join(root, 'node_modules/fastify-ah-broken/package.json'), '{ "exports"')
  const { stdout, exit } = await runCommand(t, root, ['help'])
  assert.equal(exit.code, 0)
  assert.match(
    stdout,
    /Of the packages that are installed here:\n\n {2}fastify-ah jobs … +Lists and retries jobs\n {2}fastify-ah silent …\n\n/,
  )
  assert.doesNotMatch(stdout, /library|broken/)
  assert.doesNotMatch((await runCommand(t, tempDir(t).path, ['help'])).stdout, /jobs|silent/)
})

test('a name that nobody brings is explained: what was looked for, from where, and what may have been meant', async (t) => {
  const root = project(t, { jobs: { cli: PRINTS_ARGS } })
  const { exit, stderr } = await runCommand(t, root, ['statistics'])
  assert.equal(exit.code, 2)
  assert.match(
    stderr,
    /^fastify-ah: unknown command "statistics"; there are: start cluster, .*help, jobs \(fastify-ah-statistics\/cli was looked for from \S+ and from \S+\) \(AH_CLUSTER_USAGE\)\n$/,
  )
  assert.ok(stderr.includes(`looked for from ${realpathSync(root)}`), stderr)
  assert.match((await runCommand(t, root, ['jbos'])).stderr, /unknown command "jbos", did you mean "jobs"\?/)
  assert.match((await runCommand(t, root, ['help', 'jbos'])).stderr, /unknown command "jbos", did you mean "jobs"\?/)
  assert.match(
    (await runCommand(t, root, ['cluster'])).stderr,
    /unknown command "cluster", did you mean "start cluster"\?/,
  )
})

test('a name that is a path is never looked for', async (t) => {
  const root = project(t, { jobs: { cli: PRINTS_ARGS } })
  for (const name of ['../jobs', 'jobs/../jobs', '/jobs', 'Jobs', '-jobs', 'jobs/cli', '']) {
    const { exit, stderr, stdout } = await runCommand(t, root, [name])
    assert.deepEqual([exit.code, stdout], [2, ''], name)
    assert.doesNotMatch(stderr, /looked for/, name)
  }
})

const broken: { what: string; files: PackageFiles; message: RegExp }[] = [
  {
    what: 'brings no command',
    files: {},
    message: /^fastify-ah: fastify-ah-jobs is installed and brings no command \(AH_CLUSTER_COMMAND_INVALID\)\n$/,
  },
  {
    what: 'exports no run',
    files: { cli: 'export const start = 1\n' },
    message:
      /^fastify-ah: fastify-ah-jobs\/cli \(\S+cli\.js\) exports no function "run" \(AH_CLUSTER_COMMAND_INVALID\)\n$/,
  },
  {
    what: 'answers no exit code',
    files: { cli: 'export const run = async () => "done"\n' },
    message: /must answer an exit code from 0 to 255, got done \(AH_CLUSTER_COMMAND_INVALID\)/,
  },
  {
    what: 'throws while it is loaded',
    files: { cli: '\nthrow new RangeError("no luck")\n' },
    message:
      /^fastify-ah: the command of fastify-ah-jobs could not be loaded \(AH_CLUSTER_COMMAND_INVALID\)\nRangeError: no luck\n +at \S+cli\.js:2:7/,
  },
  {
    what: 'throws while it runs',
    files: { cli: 'export async function run() {\n  throw new RangeError("no luck")\n}\n' },
    message: /^fastify-ah: RangeError: no luck\n +at \S* ?\(?\S+cli\.js:2:9/,
  },
]

for (const { what, files, message } of broken) {
  test(`a package that ${what} is one clear message and exit code 1`, async (t) => {
    const { exit, stderr } = await runCommand(t, project(t, { jobs: files }), ['jobs'])
    assert.deepEqual(exit, { code: 1, signal: null })
    assert.match(stderr, message)
  })
}

interface PackageFiles {
  readonly cli?: string
  readonly description?: string
}

/** A folder with an app and the packages `fastify-ah-<name>` in its node_modules. */
function project(t: TestContext, packages: Record<string, PackageFiles>): string {
  const files: Record<string, string> = { 'app.js': 'export default async () => {}\n' }
  for (const [name, { cli, description }] of Object.entries(packages)) {
    const folder = `node_modules/fastify-ah-${name}`
    const exports = { './package.json': './package.json', ...(cli === undefined ? {} : { './cli': './cli.js' }) }
    files[`${folder}/package.json`] = JSON.stringify({
      name: `fastify-ah-${name}`,
      type: 'module',
      exports,
      description,
    })
    if (cli !== undefined) files[`${folder}/cli.js`] = cli
  }
  return dirname(appFile(t, files))
}

async function runCommand(
  t: TestContext,
  cwd: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ exit: Exit; stdout: string; stderr: string }> {
  const node = spawnNode(command, { args, env, cwd }, t)
  const exit = await node.exited
  return { exit, stdout: node.stdout(), stderr: node.stderr() }
}
