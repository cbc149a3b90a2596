// The parts that decide without touching anything: CPUs, waits, messages, addresses.
import assert from 'node:assert/strict'
import test from 'node:test'

/** A module of the package that is none of its entries. */
async function internal<Module>(name: string): Promise<Module> {
  return (await import(new URL(`../../../packages/cluster/dist/${name}.js`, import.meta.url).href)) as Module
}

const { defaultWorkers } = await internal<typeof import('../../packages/cluster/dist/cpus.js')>('cpus')
const { RestartPolicy } =
  await internal<typeof import('../../packages/cluster/dist/restart-policy.js')>('restart-policy')
const { openFromWorker, openFromPrimary, seal } =
  await internal<typeof import('../../packages/cluster/dist/messages.js')>('messages')
const { resolveAddress, describeAddress } =
  await internal<typeof import('../../packages/cluster/dist/listen-address.js')>('listen-address')
const { reportOf, usefulText } =
  await internal<typeof import('../../packages/cluster/dist/error-report.js')>('error-report')

const { workerFlags } = await internal<typeof import('../../packages/cluster/dist/worker-flags.js')>('worker-flags')

const files = (texts: Record<string, string>) => (path: string) => texts[path]

test('one worker per CPU, and one less from 3 up', () => {
  const without = [1, 2, 3, 4, 64].map((cpus) => defaultWorkers(cpus, files({})))
  assert.deepEqual(without, [1, 2, 2, 3, 63])
})

test('the quota of the container counts, of both versions of cgroups and of the groups above', () => {
  const v2 = (texts: Record<string, string>) => defaultWorkers(9, files({ '/proc/self/cgroup': '0::/a/b\n', ...texts }))
  assert.equal(v2({}), 8)
  assert.equal(v2({ '/sys/fs/cgroup/a/b/cpu.max': 'max 100000\n' }), 8)
  assert.equal(v2({ '/sys/fs/cgroup/a/b/cpu.max': '250000 100000\n' }), 2)
  assert.equal(v2({ '/sys/fs/cgroup/a/cpu.max': '500000 100000\n', '/sys/fs/cgroup/a/b/cpu.max': 'max 100000\n' }), 4)
  assert.equal(v2({ '/sys/fs/cgroup/cpu.max': '50000 100000\n' }), 1, 'at least one')
  assert.equal(v2({ '/sys/fs/cgroup/a/b/cpu.max': '1600000 100000\n' }), 8, 'not more than there are')
  const v1 = { '/proc/self/cgroup': '5:memory:/x\n4:cpu,cpuacct:/c\n' }
  const quota = {
    '/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us': '400000',
    '/sys/fs/cgroup/cpu/c/cpu.cfs_period_us': '100000',
  }
  assert.equal(defaultWorkers(9, files({ ...v1, ...quota })), 3)
  assert.equal(defaultWorkers(9, files({ ...v1, ...quota, '/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us': '-1' })), 8)
})

test('a worker that had served is replaced at once, until deaths come thick and fast', () => {
  const policy = new RestartPolicy(() => 2)
  for (let death = 0; death < 6; death += 1) {
    policy.died(true, 1000 + death)
    assert.equal(policy.waitMs(1000 + death), 0)
  }
  policy.died(true, 2000)
  assert.equal(policy.waitMs(2000), 100)
  policy.died(true, 2000)
  assert.equal(policy.waitMs(2000), 200)
  assert.equal(policy.waitMs(2150), 50)
  for (let death = 0; death < 50; death += 1) policy.died(true, 3000)
  assert.equal(policy.waitMs(3000), 1_000, 'capped: the next one may serve')
  // Deaths of half a minute ago are forgotten.
  policy.died(true, 40_000)
  assert.equal(policy.waitMs(40_000), 0)
})

test('deaths at boot wait from the first one on, one worker is tried at a time, and one that comes up ends the row', () => {
  const policy = new RestartPolicy(() => 8)
  assert.equal(policy.isCautious, false)
  const waits = Array.from({ length: 9 }, () => {
    policy.died(false, 0)
    return policy.waitMs(0)
  })
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  assert.equal(policy.isCautious, true)
  policy.cameUp()
  assert.equal(policy.isCautious, false)
  policy.died(false, 100_000)
  assert.equal(policy.waitMs(100_000), 100)
})

test('a message of a worker is taken as it was meant, with its known members only', () => {
  const error = { type: 'Error', message: 'a', stack: 'b', code: 'C' }
  for (const message of [
    { type: 'starting' },
    { type: 'started', drainMs: 5 },
    { type: 'failed', error },
    { type: 'crashed', error: { type: 'Error', message: '', stack: '' } },
    { type: 'stopping', drainMs: 0 },
    { type: 'deaf' },
    { type: 'stopped' },
    { type: 'status', request: 3 },
  ] as const) {
    assert.deepEqual(openFromWorker(JSON.parse(JSON.stringify(seal(message)))), message)
    assert.deepEqual(openFromWorker({ ...seal(message), more: 1 }), message)
  }
})

test('everything else from a worker is nothing', () => {
  const hostile = JSON.parse(
    '{"fastifyAh":1,"type":"failed","error":{"__proto__":{"message":"a"},"type":"b","stack":"c"}}',
  )
  for (const raw of [
    undefined,
    null,
    0,
    'stopped',
    [],
    [seal({ type: 'stopped' })],
    {},
    { type: 'stopped' },
    { fastifyAh: 2, type: 'stopped' },
    { fastifyAh: 1, type: 'toString' },
    { fastifyAh: 1, type: ['stopped'] },
    { fastifyAh: 1, type: 'started' },
    { fastifyAh: 1, type: 'started', drainMs: Number.NaN },
    { fastifyAh: 1, type: 'started', drainMs: -1 },
    { fastifyAh: 1, type: 'stopping', drainMs: '5' },
    { fastifyAh: 1, type: 'failed', error: 'a' },
    { fastifyAh: 1, type: 'crashed', error: [] },
    { fastifyAh: 1, type: 'status', request: 1.5 },
    hostile,
  ]) {
    assert.equal(openFromWorker(raw), undefined, JSON.stringify(raw))
  }
})

test('a worker takes what its primary says and leaves the messages of others', () => {
  assert.deepEqual(openFromPrimary(seal({ type: 'stop' })), { fastifyAh: 1, type: 'stop' })
  for (const raw of [
    undefined,
    null,
    'stop',
    'shutdown',
    { type: 'stop' },
    { fastifyAh: 2, type: 'stop' },
    { fastifyAh: 1 },
  ]) {
    assert.equal(openFromPrimary(raw), undefined)
  }
})

test('an address is one numeric host and port, or one absolute path', async () => {
  assert.deepEqual(await resolveAddress({}, '/srv'), { kind: 'tcp', host: '::', port: 8080 })
  assert.deepEqual(await resolveAddress({ port: 80, host: '10.0.0.1' }, '/srv'), {
    kind: 'tcp',
    host: '10.0.0.1',
    port: 80,
  })
  assert.deepEqual(await resolveAddress({ port: 'run/a.sock' }, '/srv'), { kind: 'unix', path: '/srv/run/a.sock' })
  assert.deepEqual(await resolveAddress({ socket: '/run/a.sock' }, '/srv'), { kind: 'unix', path: '/run/a.sock' })
  assert.equal(describeAddress({ kind: 'tcp', host: '::1', port: 1 }), 'http://[::1]:1')
  assert.equal(describeAddress({ kind: 'tcp', host: '::', port: 1 }), 'http://localhost:1 (all interfaces)')
  assert.equal(describeAddress({ kind: 'unix', path: '/a' }), 'unix:/a')
})

test('whatever is thrown becomes a report with a readable text, bounded, causes included', () => {
  const circular = new Error('round')
  circular.cause = circular
  class Odd extends Error {
    override stack = undefined as unknown as string
  }
  assert.match(
    reportOf(new Error('a', { cause: new TypeError('b') })).stack,
    /Error: a\n[\s\S]*caused by: TypeError: b\n/,
  )
  assert.ok(reportOf(circular).stack.includes('caused by: Error: round'))
  assert.equal(reportOf(new Odd('without a stack')).stack, 'Error: without a stack')
  assert.equal(reportOf(new AggregateError([new Error('::1'), new Error('127.0.0.1')])).message, '::1; 127.0.0.1')
  assert.match(reportOf(undefined).message, /undefined/)
  assert.equal(reportOf('text').message, 'text')
  const long = reportOf(new Error('x'.repeat(100_000)))
  assert.ok(long.message.length <= 4_000 && long.stack.length <= 16_000)
})

test('of a stack the lines of the app are shown, and one of others only where there are none', () => {
  const stack = [
    'Error: a',
    '    at inner (/srv/node_modules/x/index.js:1:1)',
    '    at app (/srv/app.js:2:2)',
    '    at process (node:internal/process:3:3)',
    'caused by: Error: b',
    '    at far (/srv/node_modules/y/index.js:4:4)',
    '    at away (/srv/node_modules/y/index.js:5:5)',
  ].join('\n')
  assert.equal(
    usefulText({ type: 'Error', message: 'a', stack }),
    'Error: a\n    at app (/srv/app.js:2:2)\ncaused by: Error: b\n    at far (/srv/node_modules/y/index.js:4:4)',
  )
})

test('workers get the flags of the primary, and a larger first heap unless a flag speaks of one', () => {
  assert.deepEqual(workerFlags(['--import', 'tsx']), ['--import', 'tsx', '--initial-old-space-size=64'])
  assert.deepEqual(workerFlags(['--initial_old_space_size=8']), ['--initial_old_space_size=8'])
  assert.deepEqual(workerFlags(['--initial-heap-size=100']), ['--initial-heap-size=100'])
})
