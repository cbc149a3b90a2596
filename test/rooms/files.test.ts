// Files and documentation: what clients may ask for of the app, and nothing beside it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { AH_ROOMS_OPTIONS } from 'fastify-ah-rooms'
import { connect } from 'fastify-ah-rooms/client'
import { atEnd, scaled, startRedis, type TestScope, tempDir, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import { openHandshake } from './handshake.ts'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)
let prefixes = 0
const fresh = () => {
  prefixes += 1
  return { prefix: `files-${prefixes}:`, startingRooms: ['lobby'], allowMissingOrigin: true, messageBurst: 1_000 }
}

/** Two folders, beside which lies a secret. */
function folders(scope: TestScope): { readonly dir: string; readonly first: string; readonly second: string } {
  const dir = tempDir(scope).path
  const [first, second] = [join(dir, 'first'), join(dir, 'second')]
  for (const folder of [join(first, 'deep'), join(first, '.git'), second, join(dir, 'first-beside')]) {
    mkdirSync(folder, { recursive: true })
  }
  const texts = {
    secret: 'secret',
    'first-beside/secret': 'secret',
    'first/.env': 'secret',
    'first/.git/config': 'secret',
    'first/page.html': '<h1>héllo</h1>',
    'first/deep/index.html': 'deep',
    'first/both.txt': 'of the first',
    'first/empty': '',
    'first/odd name %2e?#.txt': 'odd',
    'second/both.txt': 'of the second',
    'second/second.json': '{}',
  }
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(dir, name), text)
  writeFileSync(join(first, 'photo.PNG'), Buffer.from([0x89, 0x50, 0xff, 0x00]))
  symlinkSync('../secret', join(first, 'out.txt'))
  symlinkSync('..', join(first, 'up'))
  symlinkSync('.git', join(first, 'hidden'))
  symlinkSync('page.html', join(first, 'inside.html'))
  symlinkSync('loop', join(first, 'loop'))
  execFileSync('mkfifo', [join(first, 'pipe')])
  return { dir, first, second }
}

test('a file comes with its type, its size and its time, of the first folder that has it', async (t) => {
  const { first, second } = folders(t)
  const { url, connect: open } = await openRooms(redis.url, { ...fresh(), files: [first, second] }, t)
  const client = await open()
  const file = (name: unknown) => client.request({ event: 'file', file: name })
  const page = await file('page.html')
  assert.deepEqual(
    [page['status'], page['content'], page['mime'], page['length'], page['error']],
    ['OK', '<h1>héllo</h1>', 'text/html', 15, undefined],
  )
  assert.ok(Math.abs(Date.parse(String(page['lastModified'])) - Date.now()) < 60_000)
  const texts = new Map(
    Object.entries({
      '/page.html': '<h1>héllo</h1>',
      'inside.html': '<h1>héllo</h1>',
      deep: 'deep',
      'deep/': 'deep',
      'page.html/': '<h1>héllo</h1>',
      'up/first/page.html': '<h1>héllo</h1>',
      'both.txt': 'of the first',
      'second.json': '{}',
      empty: '',
      'odd name %2e?#.txt': 'odd',
    }),
  )
  for (const [name, text] of texts) assert.equal((await file(name))['content'], text, name)
  const photo = await file('photo.PNG')
  assert.deepEqual([photo['mime'], photo['encoding'], photo['content']], ['image/png', 'base64', 'iVD/AA=='])

  const ours = connect(url, { WebSocket: WebSocket as never })
  atEnd(t, () => ours.close())
  assert.equal((await ours.file('page.html')).content, '<h1>héllo</h1>')
  await assert.rejects(ours.file('missing'), { code: 'AH_ROOMS_FILE', message: 'that file is not found' })
})

test('[50] no name leads out of the folders, to what is hidden, or to what is no file', async (t) => {
  const { dir, first } = folders(t)
  const socket = createServer().listen(join(first, 'socket'))
  atEnd(t, () => new Promise((resolve) => socket.close(resolve)))
  const { lines, connect: open } = await openRooms(redis.url, { ...fresh(), files: [first] }, t)
  const client = await open()
  const names: unknown[] = [
    '../secret',
    'deep/../../secret',
    '..',
    './page.html',
    '/../secret',
    '//../secret',
    '../first-beside/secret',
    '..\\secret',
    '%2e%2e/secret',
    '%2e%2e%2fsecret',
    '..%2fsecret',
    '..%c0%afsecret',
    '%00',
    'page.html\0',
    'page.html\0.png',
    '.env',
    '.git/config',
    'deep/../.env',
    'out.txt',
    'up/secret',
    'loop',
    'pipe',
    'socket',
    'page.html/x',
    'hidden/config',
    join(dir, 'secret'),
    '/etc/passwd',
    'file:///etc/passwd',
    '~/.bashrc',
    'x'.repeat(300),
    'x/'.repeat(500),
    'x'.repeat(2_000),
    '',
    '/',
    null,
    7,
    {},
    ['page.html'],
    { toString: 'page.html' },
    undefined,
  ]
  for (const name of names) {
    const reply = await client.request({ event: 'file', file: name })
    assert.deepEqual([reply['code'], reply['content']], ['AH_ROOMS_FILE', null], JSON.stringify(name))
    assert.equal(reply['error'], 'that file is not found', JSON.stringify(name))
  }
  assert.ok(!lines.some((line) => line.includes('could not be read')))
  const none = await openRooms(redis.url, fresh(), t)
  const other = await none.connect()
  assert.equal((await other.request({ event: 'file', file: 'package.json' }))['code'], 'AH_ROOMS_FILE')
})

test('a folder that is none is said at boot; a file that is too large for a socket is for HTTP', async (t) => {
  const { dir, first } = folders(t)
  for (const folder of [join(dir, 'nowhere'), join(dir, 'secret')]) {
    await assert.rejects(openRooms(redis.url, { ...fresh(), files: [folder] }, t), AH_ROOMS_OPTIONS)
  }
  writeFileSync(join(first, 'large'), Buffer.alloc(500_001, 'x'))
  const { connect: open } = await openRooms(redis.url, { ...fresh(), files: [first], maxUnsentBytes: 1_000_000 }, t)
  const client = await open()
  const reply = await client.request({ event: 'file', file: 'large' })
  assert.deepEqual([reply['statusCode'], reply['content']], [413, null])
})

test('[52] many files for one who reads late are sent one after the other, and it is not cut', async (t) => {
  const { first } = folders(t)
  writeFileSync(join(first, 'large'), Buffer.alloc(490_000, 'x'))
  const options = { ...fresh(), files: [first], maxUnsentBytes: 1_000_000 }
  const { app, port, connect: open } = await openRooms(redis.url, options, t)
  const client = await open()
  client.socket.pause()
  const asked = scaled(60, 30)
  for (let count = 0; count < asked; count += 1) client.send({ event: 'file', file: 'large', messageId: `f${count}` })
  const [connection] = app.rooms.connections()
  assert.ok(connection)
  // Others are served meanwhile, as many, one after the other: that is time enough to send all of them.
  const other = await open()
  for (let count = 0; count < asked; count += 1) {
    assert.equal((await other.request({ event: 'file', file: 'large' }))['length'], 490_000)
  }
  client.socket.resume()
  await until(() => client.messages.filter(({ content }) => String(content).length === 490_000).length === asked)
  assert.equal(app.rooms.stats().cut, 0)

  // Who never reads holds one or two of them, and goes when it goes.
  const mute = await openHandshake(port, t)
  mute.pause()
  for (let count = 0; count < asked; count += 1) mute.send({ event: 'file', file: 'large' })
  assert.equal((await other.request({ event: 'file', file: 'page.html' }))['mime'], 'text/html')
  await app.close()
})

test('documentation: what the actions that opted in are called and take, for all that may be told', async (t) => {
  const { url, connect: open } = await openRooms(redis.url, fresh(), t, (app) => {
    app.get('/metrics', async () => 'secret')
    app.get('/web', { config: { action: 'web', servers: ['web'] } }, async () => '')
    app.get('/quiet', { config: { action: 'quiet', toDocument: false } }, async () => '')
    app.get('/bare', { config: { action: 'bare' } }, async () => '')
    const schema = {
      description: 'Greets somebody',
      params: { type: 'object', properties: { name: { type: 'string', minLength: 1 } }, required: ['name'] },
      querystring: { type: 'object', properties: { loud: { type: 'boolean', default: false } } },
    }
    app.get('/hello/:name', { config: { action: 'hello' }, schema }, async () => '')
  })
  const client = await open()
  const ours = connect(url, { WebSocket: WebSocket as never })
  atEnd(t, () => ours.close())
  const reply = await client.request({ event: 'documentation' })
  assert.deepEqual(await ours.documentation(), reply['data'])
  assert.deepEqual(
    [reply['status'], reply['data']],
    [
      'OK',
      {
        bare: { 1: { name: 'bare', version: 1, inputs: {} } },
        hello: {
          1: {
            name: 'hello',
            version: 1,
            description: 'Greets somebody',
            inputs: {
              name: { type: 'string', minLength: 1, required: true },
              loud: { type: 'boolean', default: false, required: false },
            },
          },
        },
      },
    ],
  )
})
