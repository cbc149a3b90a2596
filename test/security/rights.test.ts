// The rights that docs/high-availability.md gives to each plugin's user are enough for it, and for nothing else.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import fastifyAhCache from 'fastify-ah-cache'
import fastifyAhFaye from 'fastify-ah-faye'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import fastifyAhRooms from 'fastify-ah-rooms'
import fastifyAhStats from 'fastify-ah-stats'
import fastifyAhTasks from 'fastify-ah-tasks'
import { atEnd, startRedis, startRedisCluster, type TestScope, until } from 'fastify-ah-test-support'
import { Redis } from 'ioredis'
import { callsOf } from './everything.ts'

const text = readFileSync(new URL('../../../docs/high-availability.md', import.meta.url), 'utf8')
const rights = [...text.matchAll(/^\| ([\w/]+) \| `(ACL SETUSER .+?)` \|$/gm)].map(([, plugin, acl]) => [
  plugin!.replace('/', ''),
  acl!,
])

const plugins = {
  cache: [fastifyAhCache, { local: { max: 100 } }],
  stats: [fastifyAhStats, { writeMs: 10 }],
  pubsub: [fastifyAhPubsub, { probeMs: 50 }],
  tasks: [fastifyAhTasks, { durability: { replicas: 1, timeoutMs: 50 } }],
  rooms: [fastifyAhRooms, { startingRooms: ['lobby'] }],
  faye: [fastifyAhFaye, {}],
} as unknown as Readonly<Record<string, [FastifyPluginAsync<Record<string, unknown>>, object]>>

test('there is a line for each plugin', () => {
  assert.deepEqual(rights.map(([plugin]) => plugin).sort(), Object.keys(plugins).sort())
})

const places = {
  'one server': async (scope: TestScope) => {
    const redis = await startRedis({}, scope)
    return { nodes: [redis], more: [], optionFor: (user: string) => redis.url.replace('//', `//${user}:secret@`) }
  },
  'Redis Cluster': async (scope: TestScope) => {
    const { nodes } = await startRedisCluster({}, scope)
    const [more] = /(?<=Redis Cluster add `)[^`]+/.exec(text)!
    const optionFor = (username: string) => ({
      cluster: nodes.map(({ host, port }) => ({ host, port })),
      options: { redisOptions: { username, password: 'secret' } },
    })
    return { nodes, more: more.split(' '), optionFor }
  },
}

// All are there before the first test is: the file's end belongs to the last one.
const begun = await Promise.all(
  Object.entries(places).map(async ([place, start]) => ({ place, ...(await start(test)) })),
)

for (const { place, nodes, more, optionFor } of begun) {
  for (const [plugin, acl] of rights as [string, string][]) {
    test(`${place}: the user of ${plugin} may do all that ${plugin} does, and not what others do`, async (t) => {
      for (const node of nodes) {
        assert.equal(await node.command(...acl.split(' '), ...more), 'OK')
        await node.command('FLUSHALL')
        await node.command('ACL', 'LOG', 'RESET')
      }
      const redis = optionFor(plugin)
      const app = fastify()
      atEnd(t, () => app.close())
      const [register, options] = plugins[plugin]!
      if (plugin === 'rooms' || plugin === 'faye') await app.register(fastifyAhPubsub, { redis, probeMs: 50 })
      await app.register(register, { ...options, redis })
      if (plugin === 'tasks') app.tasks.define({ name: 'add', run: ({ a, b }: { a: number; b: number }) => a + b })
      if (plugin === 'pubsub') app.pubsub.handle('double', (n: number) => n * 2)
      await app.ready()
      await use(app, plugin)
      for (const node of nodes) assert.deepEqual(await node.command('ACL', 'LOG'), [])

      const client = new Redis(nodes[0]!.url.replace('//', `//${plugin}:secret@`))
      atEnd(t, () => client.disconnect())
      for (const command of ['flushall', 'config get *', 'keys *', 'get foreign', 'acl list', 'publish foreign a'])
        await assert.rejects(client.call(...(command.split(' ') as [string])), /NOPERM/, command)
    })
  }
}

/** Every call of the plugin, twice: the second time on what the first has left. */
async function use(app: FastifyInstance, plugin: string): Promise<void> {
  const calls = Object.entries(callsOf(app)).filter(([name]) => name.startsWith(`${plugin}.`))
  for (let round = 0; round < 2; round += 1)
    for (const [, call] of calls)
      await call().catch((error: { code?: string }) => {
        // It has waited for the replica that there is not: that is what is to be allowed.
        if (error.code !== 'AH_TASKS_NOT_DURABLE') throw error
      })
  if (plugin === 'tasks') await until(async () => (await app.tasks.stats())['processed'] === '4')
  if (plugin === 'stats') await until(async () => (await app.stats.get('visits')) === 2)
  if (plugin === 'rooms') {
    const ada = await app.rooms.inject({ user: 'ada' })
    for (const event of ['roomAdd', 'say', 'roomView', 'roomLeave'])
      assert.equal((await ada.request({ event, room: 'lobby', message: 'hello' })).status, 'OK', event)
    ada.close()
  }
  if (plugin === 'faye') {
    const ask = async (message: object) => {
      const [answer] = (await app.inject({ method: 'POST', url: '/faye', payload: [message] })).json()
      assert.equal(answer.successful, true, JSON.stringify(answer))
      return answer
    }
    const { clientId } = await ask({
      channel: '/meta/handshake',
      version: '1.0',
      supportedConnectionTypes: ['long-polling'],
    })
    await ask({ channel: '/meta/subscribe', clientId, subscription: '/a' })
    await ask({ channel: '/a', clientId, data: 1 })
    await ask({ channel: '/meta/disconnect', clientId })
  }
}
