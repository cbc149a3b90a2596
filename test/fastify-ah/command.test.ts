// The package is the command alone: what npm links runs the cluster's, with its output and its exit codes.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { spawnNode, type TestScope, tempDir } from 'fastify-ah-test-support'

const require = createRequire(import.meta.url)
const manifestFile = require.resolve('fastify-ah/package.json')

interface Manifest {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
}

const manifestOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Manifest
const { bin } = manifestOf(manifestFile)

test('npm links one command, and its file may be run', () => {
  assert.deepEqual(Object.keys(bin), ['fastify-ah'])
  const file = join(dirname(manifestFile), bin['fastify-ah']!)
  assert.equal(statSync(file).mode & 0o111, 0o111)
  assert.match(readFileSync(file, 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

test('the version is that of the cluster that it runs, a good command ends with 0, a wrong one with 2', async (t) => {
  const cluster = manifestOf(require.resolve('fastify-ah-cluster/package.json'))
  assert.deepEqual(await run(t, '--version'), { code: 0, stdout: `${cluster.version}\n`, stderr: '' })
  const help = await run(t, '--help')
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^fastify-ah: starts a Fastify app/)
  const wrong = await run(t, 'strat')
  assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
  assert.match(wrong.stderr, /unknown command "strat", did you mean "start"\?/)
})

test('the commands for a running cluster end with 3 where none runs', async (t) => {
  for (const verb of ['status', 'reload', 'stop']) assert.equal((await run(t, verb)).code, 3, verb)
})

async function run(t: TestScope, ...args: string[]) {
  const file = join(dirname(manifestFile), bin['fastify-ah']!)
  const node = spawnNode(file, { args, cwd: tempDir(t).path }, t)
  const { code } = await node.exited
  return { code, stdout: node.stdout(), stderr: node.stderr() }
}
