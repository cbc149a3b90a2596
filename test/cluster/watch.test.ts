// --watch: whoever saves a file sees the new code, and nothing else restarts the workers.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { until } from 'fastify-ah-test-support'
import { appFile } from './app-file.ts'
import { getJson, type RunningCluster, spawnCluster, startCluster } from './running.ts'

const APP = `import { word } from './inner/word.mjs'\nexport default async (app) => { app.get('/', async () => ({ word })) }\n`

test('a file that is saved is what the next workers run, whichever way it is saved', async (t) => {
  const { root, cluster } = await watched(t)
  const file = join(root, 'inner/word.mjs')
  const save: Record<string, (text: string) => void> = {
    'written in place': (text) => writeFileSync(file, text),
    'written beside it and moved over it, as editors do': (text) => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    },
    'removed and written again': (text) => {
      rmSync(file)
      writeFileSync(file, text)
    },
    'in a folder that is replaced': (text) => {
      rmSync(dirname(file), { recursive: true })
      mkdirSync(dirname(file))
      writeFileSync(file, text)
    },
    'in place again, in the new folder': (text) => writeFileSync(file, text),
  }
  for (const [way, how] of Object.entries(save)) {
    how(`export const word = ${JSON.stringify(way)}\n`)
    await until(async () => (await word(cluster)) === way, { what: `the file ${way} is seen`, deadlineMs: 20_000 })
    await untilSettled(cluster)
  }
})

test('a file in a folder that is made later is seen, and one that is removed', async (t) => {
  const { root, cluster } = await watched(t)
  mkdirSync(join(root, 'new/deep'), { recursive: true })
  writeFileSync(join(root, 'new/deep/file.txt'), 'a')
  await untilReloads(cluster, 1)
  rmSync(join(root, 'new/deep/file.txt'))
  await untilReloads(cluster, 2)
  const changes = cluster.log().flatMap(({ files }) => (files as string[] | undefined) ?? [])
  assert.deepEqual([...new Set(changes)], ['new/deep/file.txt'])
})

test('what is no code of the app restarts nobody: dependencies, logs, pids, dot files, rights', async (t) => {
  const { root, cluster } = await watched(t, { 'node_modules/dep/index.js': '', '.git/index': '', 'log/app.log': '' })
  for (const name of ['node_modules/dep/index.js', '.git/index', 'log/app.log', 'pids/other', '.env.swp', 'app.mjs~']) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), 'changed')
  }
  chmodSync(join(root, 'inner/word.mjs'), 0o600)
  readFileSync(join(root, 'app.mjs'))
  // A change that counts comes after all of them, and is the first that is told.
  writeFileSync(join(root, 'inner/word.mjs'), 'export const word = "last"\n')
  await untilReloads(cluster, 1)
  const [first] = cluster.log().filter(({ files }) => files !== undefined)
  assert.deepEqual(first!['files'], ['inner/word.mjs'])
})

test('many files at once are one reload', async (t) => {
  const { root, cluster } = await watched(t)
  for (let count = 0; count < 50; count += 1) writeFileSync(join(root, `file-${count}.txt`), 'a')
  await untilReloads(cluster, 1)
  const [first] = cluster.log().filter(({ files }) => files !== undefined)
  assert.equal((first!['files'] as string[]).length, 50)
  assert.equal(first!.msg, 'file-0.txt and 49 more changed')
})

test('a file that cannot be loaded is told, the old code serves on, and the next save is tried', async (t) => {
  const { root, cluster } = await watched(t)
  writeFileSync(join(root, 'inner/word.mjs'), 'export const word = \n')
  await until(() => cluster.log().some(({ msg }) => msg.startsWith('the reload was given up')), { what: 'given up' })
  assert.equal(await word(cluster), 'first')
  writeFileSync(join(root, 'inner/word.mjs'), 'export const word = "mended"\n')
  await until(async () => (await word(cluster)) === 'mended', { what: 'the mended file', deadlineMs: 20_000 })
})

test('a touch is a save: the time of a file counts', async (t) => {
  const { root, cluster } = await watched(t)
  utimesSync(join(root, 'app.mjs'), new Date(), new Date())
  await untilReloads(cluster, 1)
})

test('with NODE_ENV=production it is refused', async (t) => {
  const { node } = await spawnCluster({ args: ['--watch'], env: { NODE_ENV: 'production' } }, t)
  assert.deepEqual(await node.exited, { code: 2, signal: null })
  assert.equal(
    node.stderr(),
    'fastify-ah: --watch is for development, and NODE_ENV is production: use "fastify-ah reload" (AH_CLUSTER_USAGE)\n',
  )
})

async function watched(
  t: TestContext,
  files: Record<string, string> = {},
): Promise<{ root: string; cluster: RunningCluster }> {
  const app = appFile(t, { 'app.mjs': APP, 'inner/word.mjs': 'export const word = "first"\n', ...files })
  const root = dirname(app)
  const env = { PROJECT_ROOT: root, NODE_ENV: 'development' }
  // A syntax error is located by a process that crashes of it.
  const options = { app, workers: 1, env, pids: join(root, 'pids'), unhandledErrors: 'counted' } as const
  const cluster = await startCluster({ ...options, args: ['--watch', '--drain-ms', '200'] }, t)
  assert.equal(await word(cluster), 'first')
  return { root, cluster }
}

async function word(cluster: RunningCluster): Promise<string> {
  return (await getJson<{ word: string }>(cluster.target, '/')).word
}

function reloads(cluster: RunningCluster): number {
  return cluster.log().filter(({ msg }) => msg.startsWith('reload done')).length
}

async function untilReloads(cluster: RunningCluster, count: number): Promise<void> {
  await until(() => reloads(cluster) >= count, { what: `reload ${count} is done`, deadlineMs: 20_000 })
}

/** A reload that runs while the next file is saved may have loaded it already: then it is reloaded once more. */
async function untilSettled(cluster: RunningCluster): Promise<void> {
  const begun = () => cluster.log().filter(({ msg }) => msg.startsWith('the cluster reloads')).length
  const ended = () => cluster.log().filter(({ msg }) => /^(reload done|the reload was given up)/.test(msg)).length
  await until(() => begun() === ended(), { what: 'no reload runs' })
}
