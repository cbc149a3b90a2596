// Tests nginx.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import { httpGet, isAlive, processTree, startNginx, tempDir } from './index.ts'

test('it reaches a unix socket in a temporary folder', async (t) => {
  const socketPath = join(tempDir(t).path, 'app.sock')
  const app = createServer((_request, response) => response.end('from the socket')).listen(socketPath)
  t.after(() => app.close())
  await once(app, 'listening')
  const conf = ({ port }: { port: number }) => `
    upstream app { server unix:${socketPath}; }
    server { listen 127.0.0.1:${port}; location / { proxy_pass http://app; } }`
  const nginx = await startNginx({ conf }, t)
  const answer = await httpGet(nginx)
  assert.deepEqual([answer.status, answer.body], [200, 'from the socket'])
  assert.equal((await httpGet({ socketPath })).body, 'from the socket')
  assert.equal(await (await fetch(nginx.url)).text(), 'from the socket')
})

test('reload brings new workers and the new configuration', async (t) => {
  let word = 'old'
  const nginx = await startNginx({ conf: ({ port }) => `server { listen 127.0.0.1:${port}; return 200 ${word}; }` }, t)
  assert.equal((await httpGet(nginx)).body, 'old')
  word = 'new'
  await nginx.reload()
  assert.equal((await httpGet(nginx)).body, 'new')
})

test('a configuration that it refuses is told with its words, at the start and at a reload', async (t) => {
  await assert.rejects(startNginx({ conf: () => 'nonsense;' }), /unknown directive "nonsense"/)
  let conf = (port: number) => `server { listen 127.0.0.1:${port}; return 200 hello; }`
  const nginx = await startNginx({ conf: ({ port }) => conf(port) }, t)
  conf = () => 'rubbish;'
  await assert.rejects(nginx.reload(), /unknown directive "rubbish"/)
  assert.equal((await httpGet(nginx)).body, 'hello')
})

test('stop leaves no worker', async (t) => {
  const nginx = await startNginx({ conf: ({ port }) => `server { listen 127.0.0.1:${port}; return 204; }` }, t)
  const all = [nginx.pid, ...processTree(nginx.pid)]
  assert.equal(all.length, 3)
  await nginx.stop()
  assert.deepEqual(all.filter(isAlive), [])
})
