// A reload of a cluster in the middle of a conversation: by the real command, over TCP and through nginx.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type RoomsClient, type RoomsError } from 'fastify-ah-rooms/client'
import {
  freePort,
  scaled,
  startNginx,
  startRedis,
  startWorkers,
  type TestScope,
  tempDir,
  until,
} from 'fastify-ah-test-support'
import { WebSocket } from 'ws'
import { openRooms } from './open-rooms.ts'

const count = scaled(1_000, 60)
const room = 'lobby'
const app = new URL('./programs/app.js', import.meta.url)
const redis = await startRedis({}, test)

/** A client of ours, and what became of it. */
class Member {
  readonly client: RoomsClient
  readonly heard: string[] = []
  readonly returns: {
    readonly code: number
    readonly lostAt: number
    readonly backAt: number
    readonly recovered: boolean
  }[] = []
  troubles = 0
  #lost: { code: number; lostAt: number } | undefined

  constructor(url: string, scope: TestScope) {
    this.client = connect(url, { WebSocket: WebSocket as never })
    scope.after(() => this.client.close())
    this.client.on('message', ({ message }) => this.heard.push(String(message)))
    this.client.on('disconnect', ({ code }) => {
      this.#lost = { code, lostAt: performance.now() }
    })
    this.client.on('joined', ({ recovered }) => {
      if (this.#lost !== undefined) this.returns.push({ ...this.#lost, backAt: performance.now(), recovered })
      this.#lost = undefined
    })
    for (const name of ['gap', 'left', 'closed'] as const) this.client.on(name, () => (this.troubles += 1))
  }

  get isIn(): boolean {
    return this.#lost === undefined
  }
}

/** Says numbered lines until it is told to stop; answers those that were said for sure, and those that perhaps were. */
function talking(name: string, everyMs: number, say: (line: string) => Promise<unknown>) {
  const [certain, perhaps]: [string[], string[]] = [[], []]
  let isOver = false
  const work = (async () => {
    for (let number = 0; !isOver; number += 1) {
      const line = `${name} ${number}`
      try {
        await say(line)
        certain.push(line)
      } catch (error) {
        assert.equal((error as RoomsError).code, 'AH_CLIENT_DISCONNECTED', String(error))
        perhaps.push(line)
      }
      // Time is the subject: there have to be lines before, while and after.
      await sleep(everyMs)
    }
  })()
  return async () => {
    isOver = true
    await work
    return { certain, perhaps }
  }
}

const tcp = async (t: TestScope) => {
  const port = await freePort()
  return {
    listen: ['--host', '127.0.0.1', '--port', String(port)],
    open: async () => `ws://127.0.0.1:${port}/ah/ws`,
    t,
  }
}

const nginx = async (t: TestScope) => {
  const socket = `${tempDir(t).path}/web.sock`
  const open = async (): Promise<string> => {
    const { port } = await startNginx({ conf: ({ port }) => proxyConf(port, socket) }, t)
    return `ws://127.0.0.1:${port}/ah/ws`
  }
  return { listen: ['--socket', socket], open }
}

const proxyConf = (port: number, socket: string) => `
  upstream app { server unix:${socket}; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 90s;
    }
  }`

// At once, since most of it is waiting; at full scale that would be a test of this machine.
describe('reload', { concurrency: count < 200 }, () => {
  for (const [index, [name, place]] of Object.entries({ TCP: tcp, 'nginx on a unix socket': nginx }).entries()) {
    test(`[58] two workers are replaced under a conversation, over ${name}: all are back soon, not at once, and have heard every line once`, async (t) => {
      const options = { prefix: `reload-${index}:`, startingRooms: [room], allowMissingOrigin: true }
      const { listen, open } = await place(t)
      const env = { ROOMS_OPTIONS: JSON.stringify(options) }
      const workers = await startWorkers({ app, redis: redis.url, listen, env }, t)
      const observer = await openRooms(redis.url, options, t)
      await workers.untilServing()
      const url = await open()
      const members: Member[] = []
      for (let at = 0; at < count; at += 50) {
        const some = Array.from({ length: Math.min(50, count - at) }, () => new Member(url, t))
        members.push(...some)
        await Promise.all(some.map(({ client }) => client.join(room)))
      }
      const [first, second] = members as [Member, Member]
      const talks = [
        talking('server', 40, (line) => observer.app.rooms.broadcast(null, room, line)),
        talking('first', 60, (line) => first.client.say(room, line)),
        talking('second', 90, (line) => second.client.say(room, line)),
      ]
      await until(() => members.every(({ heard }) => heard.length > 5))
      const before = performance.now()
      await workers.reload()
      const isBack = () => members.every(({ returns, isIn }) => isIn && returns.length > 0)
      await until(isBack, { what: 'all are back', deadlineMs: 15_000 })
      await until(() => first.heard.at(-1)?.startsWith('server') ?? false)
      const said = await Promise.all(talks.map((stop) => stop()))
      await observer.app.rooms.broadcast(null, room, 'the end')
      await until(() => members.every(({ heard }) => heard.at(-1) === 'the end'), { deadlineMs: 10_000 })

      const { heard } = first
      assert.equal(new Set(heard).size, heard.length, 'nothing twice')
      for (const member of members) {
        assert.deepEqual(member.heard, heard, 'one order, for all')
        assert.equal(member.troubles, 0)
      }
      const certain = said.flatMap(({ certain }) => certain)
      const perhaps = new Set(said.flatMap(({ perhaps }) => perhaps))
      assert.deepEqual(new Set(heard.filter((line) => !perhaps.has(line))), new Set([...certain, 'the end']))

      const returns = members.flatMap(({ returns }) => returns)
      assert.deepEqual(new Set(returns.map(({ code }) => code)), new Set([1012]))
      assert.ok(returns.every(({ recovered }) => recovered))
      const longest = Math.max(...returns.map(({ lostAt, backAt }) => backAt - lostAt))
      assert.ok(longest < 5_000, `back after ${Math.round(longest)} ms`)
      const herd = most(returns.map(({ backAt }) => backAt))
      // Each worker's clients come over more than a second.
      assert.ok(herd < 12 + count / 4, `${herd} of ${count} came back within 100 ms`)
      assert.equal((await observer.app.rooms.roomStatus(room)).membersCount, count)
      await workers.process.assertNothingUnhandled()
      t.diagnostic(
        `${count} clients, ${heard.length} lines, back after ${Math.round(longest)} ms at most, ${herd} within 100 ms, ${Math.round(performance.now() - before)} ms in all`,
      )
    })
  }
})

/** How many of these moments lie within 100 ms, at most. */
function most(moments: number[]): number {
  const sorted = [...moments].sort((one, other) => one - other)
  return Math.max(...sorted.map((start) => sorted.filter((at) => at >= start && at < start + 100).length))
}
