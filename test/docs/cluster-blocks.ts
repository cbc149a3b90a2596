// Drives what the pages of the cluster show, with real clusters.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, httpGet, type TestScope, until } from 'fastify-ah-test-support'
import type { Driver } from './driver.ts'
import { Workplace } from './workplace.ts'

const APP = `import fastifyAhCluster from 'fastify-ah-cluster'
export default async function app(fastify) {
  await fastify.register(fastifyAhCluster)
  fastify.get('/', async () => ({ pid: process.pid }))
  fastify.get('/crash', async () => { setImmediate(() => { throw new Error('as planned') }); return {} })
}
`
const TRACKER = `export const report = (error, worker) =>
  console.log('reported: ' + error.message + ' of ' + (worker?.id ?? 'nobody'))
`

interface Status {
  readonly generation: number
  readonly workers: readonly { pid: number; state: string; restarts: number; role?: string }[]
}

/** A cluster of the demo's shape, and what `fastify-ah status --json` says of it. */
async function startedPlace(t: TestScope, flags: string): Promise<{ place: Workplace; status: () => Promise<Status> }> {
  const place = new Workplace(t, { 'app.js': APP })
  const primary = place.fastifyAh(`fastify-ah start cluster app.js ${flags}`)
  await primary.waitForLine(/equilibrium/, 20_000)
  return { place, status: async () => JSON.parse((await place.run('fastify-ah status --json')).stdout) as Status }
}

/** The config file as shown, over a socket in the folder: `/run/app` belongs to root. */
async function assertConfigured(t: TestScope, config = ''): Promise<void> {
  const place = new Workplace(t, { 'app.js': APP, 'fastify-ah.config.js': config })
  const socket = join(place.folder, 'web.sock')
  place.write('fastify-ah.config.js', config.replace('/run/app/web.sock', socket))
  const primary = place.fastifyAh('fastify-ah start cluster app.js')
  await primary.waitForLine(/equilibrium.* 4 workers/, 20_000)
  assert.equal((await httpGet({ socketPath: socket })).status, 200)
  assert.equal(statSync(socket).mode & 0o777, 0o660)
  assert.equal(execFileSync('stat', ['-c', '%G', socket], { encoding: 'utf8' }).trim(), 'www-data')
}

/** One session of the page `docs/cluster.md`: a cluster for each block, so that each can be read alone. */
const session = (
  shows: string,
  run: (place: Workplace, status: () => Promise<Status>, code: string) => Promise<void>,
): Driver => ({
  page: 'docs/cluster.md',
  shows,
  async run(t, code = '') {
    const { place, status } = await startedPlace(t, `--workers 2 --host 127.0.0.1 --port ${await freePort()}`)
    await run(place, status, code)
  },
})

const shell = (place: Workplace, line: string) =>
  execFileSync('sh', ['-c', line], { cwd: place.folder, encoding: 'utf8' })
const started = ({ workers }: Status) => workers.filter(({ state }) => state === 'started').length

export const clusterBlocks: readonly Driver[] = [
  { page: 'docs/configuration.md', shows: 'socketMode', run: assertConfigured },
  { page: 'packages/cluster/README.md', shows: 'socketMode', run: assertConfigured },
  {
    page: 'packages/cluster/README.md',
    shows: 'startCluster',
    async run(t, code = '') {
      const place = new Workplace(t, { 'app.js': APP })
      const program = place.write(
        'program.js',
        `${code.replace('8080', String(await freePort()))}\nconsole.log({ isGraceful })\n`,
      )
      const { code: exit, stdout, stderr } = await place.finish(program)
      assert.equal(exit, 0, stderr)
      assert.match(stdout, /\{ isGraceful: true \}/)
    },
  },
  session('cd examples/demo', async (place, _status, code) => {
    const { stdout } = await place.run(code.split('\n')[1]!)
    assert.match(stdout, /generation 1, up \d+ s, .*2 of 2 workers serve/)
    assert.match(stdout, /^worker +pid +role +gen +state +uptime +rss +loop +conns +requests +restarts$/m)
  }),
  session('fastify-ah reload', async (place, status, code) => {
    const { code: exit, stdout } = await place.run(code)
    assert.equal(exit, 0)
    assert.match(stdout, /all workers run generation 2\n$/)
    shell(place, /or: (kill .+)$/m.exec(code)![1]!)
    await until(async () => (await status()).generation === 3)
  }),
  session('fastify-ah scale 4', async (place, status, code) => {
    const [scale, more, fewer] = code.split('\n')
    assert.equal((await place.run(scale!)).code, 0)
    await until(async () => started(await status()) === 4)
    shell(place, more!)
    await until(async () => started(await status()) === 5)
    shell(place, fewer!)
    await until(async () => started(await status()) === 4)
  }),
  session('kill -9', async (place, status, code) => {
    shell(place, code.split('\n')[0]!)
    await until(async () =>
      (await status()).workers.some(({ restarts, state }) => restarts === 1 && state === 'started'),
    )
  }),
  session('fastify-ah stop', async (place, _status, code) => {
    assert.equal((await place.run(code)).code, 0)
    assert.equal((await place.run('fastify-ah status')).code, 3)
  }),
  {
    page: 'docs/cluster.md',
    shows: '--roles web=2,worker=1',
    async run(t, code = '') {
      const flags = code.trim().split('cluster ')[1]
      const { status } = await startedPlace(t, `${flags} --host 127.0.0.1 --port ${await freePort()}`)
      assert.deepEqual((await status()).workers.map(({ role }) => role).sort(), ['web', 'web', 'worker'])
    },
  },
  {
    page: 'docs/deployment.md',
    shows: '--socket /run/app/web.sock',
    async run(t, code = '') {
      const place = new Workplace(t, { 'app.js': APP })
      const socket = join(place.folder, 'web.sock')
      const primary = place.fastifyAh(code.replace('/run/app/web.sock', socket).replace('cluster', 'cluster app.js'))
      await primary.waitForLine(/equilibrium/, 20_000)
      assert.equal((await httpGet({ socketPath: socket })).status, 200)
      assert.equal(statSync(socket).mode & 0o777, 0o660)
    },
  },
  {
    page: 'docs/deployment.md',
    shows: "process.on('uncaughtException'",
    async run(t, code = '') {
      const place = new Workplace(t, { 'tracker.js': TRACKER })
      const program = place.write('program.js', `${code}\nsetTimeout(() => { throw new Error('as planned') }, 10)\n`)
      const { code: exit, stdout } = await place.finish(program, { unhandledErrors: 'counted' })
      assert.deepEqual([exit, stdout], [1, 'reported: as planned of nobody\n'])
    },
  },
  {
    page: 'docs/deployment.md',
    shows: 'onCrash:',
    async run(t, code = '') {
      const place = new Workplace(t, { 'app.js': APP, 'tracker.js': TRACKER, 'fastify-ah.config.js': code })
      const port = await freePort()
      const primary = place.fastifyAh(`fastify-ah start cluster app.js --workers 1 --host 127.0.0.1 --port ${port}`, {
        unhandledErrors: 'counted',
      })
      await primary.waitForLine(/equilibrium/, 20_000)
      // The worker dies with its answer or before it.
      await httpGet({ port }, { path: '/crash' }).catch(() => undefined)
      await primary.waitForLine(/reported: as planned of 1/)
    },
  },
  {
    page: 'docs/cluster.md',
    shows: 'npm run demo',
    async run(_t, code = '') {
      // What the script does is the subject of test/together.
      const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
      assert.ok(scripts[code.trim().replace('npm run ', '')])
    },
  },
]
