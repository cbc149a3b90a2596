// A real terminal: Ctrl-C reaches the whole group, npm passes it on besides, and a closed terminal hangs up.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { freePort, httpGet, isAlive, processTree, tempDir, until } from 'fastify-ah-test-support'
import { command, fixture } from './running.ts'

const CTRL_C = '\x03'

interface Terminal {
  readonly child: ChildProcess
  screen(): string
  /** All processes that run in it. */
  processes(): number[]
  type(text: string): void
  readonly closed: Promise<number | null>
}

test('[68] Ctrl-C in a terminal stops everything once and in order, and what is being answered is answered', async (t) => {
  const { dir, port, line } = await demo(t)
  const terminal = open(t, line, dir)
  await until(() => /equilibrium state reached/.test(terminal.screen()), { deadlineMs: 30_000 })
  assert.doesNotMatch(terminal.screen(), /"level"/, 'readable, not JSON')
  const slow = httpGet({ port }, { path: '/slow?ms=1500' })
  await until(async () => Number((await httpGet({ port }, { path: '/in-hand' })).body) > 0)
  const processes = terminal.processes()
  assert.ok(processes.length >= 3)
  terminal.type(CTRL_C)
  assert.equal((await slow).status, 200)
  assert.equal(await terminal.closed, 0)
  assert.equal(terminal.screen().match(/the cluster stops/g)?.length, 1)
  assert.deepEqual(processes.filter(isAlive), [])
  assert.deepEqual(readdirSync(join(dir, 'tmp')), [], 'the store is gone')
})

test('[68] with npm between the terminal and the cluster Ctrl-C is one stop too', async (t) => {
  const { dir, port, line } = await demo(t)
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'demo', private: true, scripts: { demo: line } }))
  const terminal = open(t, 'npm run demo', dir)
  await until(() => /equilibrium state reached/.test(terminal.screen()), { deadlineMs: 60_000 })
  const slow = httpGet({ port }, { path: '/slow?ms=1500' })
  await until(async () => Number((await httpGet({ port }, { path: '/in-hand' })).body) > 0)
  const processes = terminal.processes()
  terminal.type(CTRL_C)
  assert.equal((await slow).status, 200)
  await terminal.closed
  // npm may leave before its child: the cluster goes on draining without a terminal.
  await until(() => !processes.some(isAlive))
  assert.deepEqual(readdirSync(join(dir, 'tmp')), [])
})

test('[68] a second Ctrl-C does not wait for what is being answered', async (t) => {
  const { dir, port, line } = await demo(t)
  const terminal = open(t, line, dir)
  await until(() => /equilibrium state reached/.test(terminal.screen()), { deadlineMs: 30_000 })
  const lost = assert.rejects(httpGet({ port }, { path: '/slow?ms=60000', timeoutMs: 60_000 }), { code: 'ECONNRESET' })
  await until(async () => Number((await httpGet({ port }, { path: '/in-hand' })).body) > 0)
  const processes = terminal.processes()
  terminal.type(CTRL_C)
  await until(() => /worker drains/.test(terminal.screen()))
  // The first half second belongs to one press: npm's copy of it would come in that time.
  const again = setInterval(() => terminal.type(CTRL_C), 200)
  await lost
  assert.equal(await terminal.closed, 1)
  clearInterval(again)
  assert.deepEqual(processes.filter(isAlive), [])
  assert.deepEqual(readdirSync(join(dir, 'tmp')), [])
})

test('[68] a terminal that is closed stops everything in order', async (t) => {
  const { dir, line } = await demo(t)
  const terminal = open(t, line, dir)
  await until(() => /equilibrium state reached/.test(terminal.screen()), { deadlineMs: 30_000 })
  const processes = terminal.processes()
  terminal.child.kill('SIGKILL')
  await until(() => !processes.some(isAlive))
  assert.deepEqual(readdirSync(join(dir, 'tmp')), [])
})

async function demo(t: TestContext): Promise<{ dir: string; port: number; line: string }> {
  const dir = tempDir(t).path
  mkdirSync(join(dir, 'tmp'))
  const port = await freePort()
  const flags = `--workers 2 --host 127.0.0.1 --port ${port} --embedded`
  return { dir, port, line: `exec ${process.execPath} ${command} start cluster ${fixture('app')} ${flags}` }
}

/** util-linux's `script` makes the terminal; what is written to its stdin is typed there. */
function open(t: TestContext, line: string, dir: string): Terminal {
  const child = spawn('script', ['-qfec', line, '/dev/null'], {
    cwd: dir,
    env: { ...process.env, TMPDIR: join(dir, 'tmp'), REDIS_URL: '', NODE_ENV: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    screen += text
  })
  let processes: number[] = []
  t.after(() => {
    for (const pid of [...processes, child.pid!].filter(isAlive)) process.kill(pid, 'SIGKILL')
  })
  return {
    child,
    screen: () => screen,
    processes: () => {
      processes = processTree(child.pid!)
      return processes
    },
    type: (text) => child.stdin!.write(text),
    closed: once(child, 'exit').then(([code]) => code as number | null),
  }
}
