// The page docs/start.md, followed to the letter: packed packages, an empty folder, two workers, nginx, a reload under load.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import {
  atEnd,
  freePort,
  httpGet,
  type SpawnedNode,
  spawnNode,
  startNginx,
  type TestScope,
  tempDir,
  until,
} from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import { Consumer } from './consumer.ts'
import { instructionsOf } from './readme.ts'
import { packAll } from './tarballs.ts'

const page = readFileSync(new URL('../../../docs/start.md', import.meta.url), 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!)

/** The commands of the page that begin with `npx`, as it shows them one after the other. */
const commands = blocks('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith('npx ')))
const [overTcp, status, overSocket, reload] = commands as [string, string, string, string]

async function followed(t: TestScope): Promise<Consumer> {
  const base = tempDir(t).path
  const destination = join(base, 'tarballs')
  mkdirSync(destination)
  const consumer = await Consumer.install(base, 'app', instructionsOf(page), await packAll(destination))
  consumer.write('app.js', blocks('js')[0]!)
  return consumer
}

function runIn(consumer: Consumer, line: string, t: TestScope): SpawnedNode {
  const [, bin, ...args] = line.split(' ') as [string, string, ...string[]]
  const file = join(consumer.folder, 'node_modules', bin, consumer.manifestOf(bin).bin![bin]!)
  return spawnNode(file, { args, cwd: consumer.folder }, t)
}

test('an empty folder becomes an app behind nginx that is reloaded under load without an error', async (t) => {
  assert.equal(commands.length, 4, commands.join('\n'))
  const consumer = await followed(t)
  const port = await freePort()
  const first = runIn(consumer, overTcp.replace('8080', String(port)), t)
  await first.waitForLine(/equilibrium/, 20_000)
  for (const [path, says] of [
    ['/visits', /"visits":1,/],
    ['/greet/Ada', /greeted by \d+/],
  ] as const)
    assert.match((await httpGet({ port }, { path })).body, says)
  const shown = runIn(consumer, status, t)
  assert.equal((await shown.exited).code, 0)
  assert.match(shown.stdout(), /2 of 2 workers serve/)
  first.kill()
  assert.equal((await first.exited).code, 0)

  const socket = join(consumer.folder, 'web.sock')
  const second = runIn(consumer, overSocket.replace('/run/app/web.sock', socket), t)
  await second.waitForLine(/equilibrium/, 20_000)
  const conf = (at: number) =>
    blocks('nginx')[0]!.replace('/run/app/web.sock', socket).replace('listen 80;', `listen 127.0.0.1:${at};`)
  const nginx = await startNginx({ conf: (vars) => conf(vars.port) }, t)
  const heard = await listen(consumer, nginx.url, t)
  const load = { answers: 0, errors: [] as string[], isOver: false }
  const clients = Array.from({ length: 8 }, () => visit(nginx.port, load))
  await until(() => load.answers > 50)
  const reloaded = runIn(consumer, reload, t)
  assert.equal((await reloaded.exited).code, 0, reloaded.stdout())
  const before = load.answers
  await until(() => load.answers > before + 50)
  load.isOver = true
  await Promise.all(clients)
  assert.deepEqual(load.errors, [])
  await until(async () => {
    await httpGet({ port: nginx.port }, { path: '/greet/Bob' })
    return heard.includes('Bob is here')
  })
  second.kill()
  assert.equal((await second.exited).code, 0)
})

/** One request after the other until it is over. */
async function visit(port: number, load: { answers: number; errors: string[]; isOver: boolean }): Promise<void> {
  while (!load.isOver) {
    const { status: code, body } = await httpGet({ port }, { path: '/visits' }).catch((error: Error) => ({
      status: 0,
      body: error.message,
    }))
    if (code === 200) load.answers += 1
    else load.errors.push(`${code} ${body}`)
  }
}

/** What the page of the app does, with the client that the app serves. */
async function listen(consumer: Consumer, url: string, t: TestScope): Promise<unknown[]> {
  const script = await (await fetch(`${url}/ah/client.mjs`)).text()
  const { connect } = await import(pathToFileURL(consumer.write('client.mjs', script)).href)
  assert.match(blocks('html')[0]!, /from '\/ah\/client\.mjs'/)
  const heard: unknown[] = []
  // What a browser does by itself: it names the page's origin.
  class PageSocket extends WebSocket {
    constructor(address: string) {
      super(address, { origin: url })
    }
  }
  const rooms = connect(`${url.replace('http', 'ws')}/ah/ws`, { WebSocket: PageSocket })
  atEnd(t, () => rooms.close())
  rooms.on('message', ({ message }: { message: unknown }) => heard.push(message))
  await rooms.join('lobby')
  return heard
}
