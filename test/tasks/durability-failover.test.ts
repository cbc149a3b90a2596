// An enqueue that waits for a replica, and loses the master on the way.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { atEnd, type RedisServer, startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openTasks } from './open-tasks.ts'

const define = [{ name: 'job', run: () => undefined }]

/** An address that leads to one server, and then to another: what stands before a Redis that fails over. */
async function startAddress(first: RedisServer, scope: TestScope) {
  let target = first
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const behind = connect(target.port, target.host)
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
      socket.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(scope, () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (next: RedisServer): void => {
      target = next
    },
  }
}

const replicas = async (server: RedisServer): Promise<number> =>
  Number(/connected_slaves:(\d+)/.exec(String(await server.command('INFO', 'replication')))?.[1])

async function startReplica(master: RedisServer, scope: TestScope): Promise<RedisServer> {
  const config = { replicaof: `${master.host} ${master.port}`, 'repl-diskless-sync-delay': '0' }
  const replica = await startRedis({ config }, scope)
  await until(async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'))
  return replica
}

test('[4] the master dies while an enqueue waits for its replica: what the next one answers does not count', {
  timeout: 60_000,
}, async (t) => {
  const master = await startRedis({ config: { 'repl-diskless-sync-delay': '0' } }, t)
  const [first, second] = [await startReplica(master, t), await startReplica(master, t)]
  const address = await startAddress(master, t)
  const durability = { replicas: 1, timeoutMs: 4_000 }
  const tasks = await openTasks({ redis: address.url, durability, define }, t)
  await tasks.enqueue('job', 'kept')

  for (const replica of [first, second]) {
    await replica.command('CONFIG', 'SET', 'masteruser', 'nobody', 'masterauth', 'wrong')
  }
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica')
  await until(async () => (await replicas(master)) === 0)
  const outcome = tasks.enqueue('job', 'lost').then(
    () => 'acknowledged',
    ({ code }: { code?: string }) => code,
  )
  await until(async () => Number(await master.command('LLEN', 'resque:queue:default')) === 2)

  // As any failover does it; the new master has a replica, so it can confirm.
  await first.command('CONFIG', 'SET', 'masteruser', '', 'masterauth', '')
  await second.command('CONFIG', 'SET', 'masteruser', '', 'masterauth', '')
  await first.command('REPLICAOF', 'NO', 'ONE')
  await second.command('REPLICAOF', first.host, first.port)
  await until(async () => (await replicas(first)) === 1)
  address.leadTo(first)
  await master.kill()

  assert.equal(await outcome, 'AH_TASKS_NOT_DURABLE')
  await until(() => tasks.length('default'), { deadlineMs: 10_000 })
  assert.equal(await tasks.length('default'), 1, 'it is lost, and was not acknowledged')
  assert.deepEqual(await tasks.enqueue('job', 'next'), { queue: 'default' })
})
