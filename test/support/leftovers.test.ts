// Tests that nothing which support starts outlives the process that started it, however that ends.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { type Exit, isAlive, type SpawnedNode, spawnNode, until } from './index.ts'

const PROGRAM = new URL('./programs/leaves-everything.js', import.meta.url)

async function startAll(t: TestContext, wayOfChild: string): Promise<{ child: SpawnedNode; started: number[] }> {
  const child = spawnNode(PROGRAM, { args: [wayOfChild], ipc: true, unhandledErrors: 'counted' }, t)
  await child.waitForLine(/^started$/)
  const started = child.descendants()
  const expected = wayOfChild === 'never' ? 5 : 6
  assert.equal(started.length, expected, 'a Redis, nginx with two workers, a child, maybe with its child')
  return { child, started }
}

const WAYS: Record<string, { end(child: SpawnedNode): void; exit: Exit }> = {
  'a throw': { end: ({ child }) => child.send('throw'), exit: { code: 1, signal: null } },
  'process.exit': { end: ({ child }) => child.send('exit'), exit: { code: 0, signal: null } },
  'SIGTERM, as the runner sends it at its time limit': {
    end: (child) => child.kill('SIGTERM'),
    exit: { code: null, signal: 'SIGTERM' },
  },
  'Ctrl-C': { end: (child) => child.kill('SIGINT'), exit: { code: null, signal: 'SIGINT' } },
}

for (const [way, { end, exit }] of Object.entries(WAYS)) {
  test(`after a test file that ends by ${way} and stopped nothing, no process and no folder is left`, async (t) => {
    const { child, started } = await startAll(t, 'never, with a child')
    end(child)
    assert.deepEqual(await child.exited, exit)
    await until(() => !started.some(isAlive))
    assert.deepEqual(await readdir(child.tmpDir), [])
  })
}

test('after a test file that is killed none that it started itself is left', async (t) => {
  const { child, started } = await startAll(t, 'never')
  child.kill('SIGKILL')
  await child.exited
  await until(() => !started.some(isAlive))
})
