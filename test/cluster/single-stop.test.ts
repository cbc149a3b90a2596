// A single process that is told to stop before it serves.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { command, fixture } from './running.ts'

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`[68] ${signal} while a single process boots leaves neither its socket nor its store`, async (t) => {
    const socket = join(tempDir(t).path, 'app.sock')
    const single = spawnNode(command, { args: ['start', fixture('slow-boot'), '--socket', socket, '--embedded'] }, t)
    await until(() => existsSync(socket) && readdirSync(single.tmpDir).length > 0, {
      what: 'socket and store are there',
    })
    single.kill(signal)
    assert.deepEqual(await single.exited, { code: 0, signal: null })
    assert.ok(!existsSync(socket))
    assert.deepEqual(readdirSync(single.tmpDir), [])
  })
}
