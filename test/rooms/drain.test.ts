// A process ends: its clients are let go one after the other, come back elsewhere, and have missed nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scaled, startRedis, until } from 'fastify-ah-test-support'
import { type Client, connect, openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)

test('[58] an app closes with many sockets: 1012 spread over the window, all back in time, no message lost', async (t) => {
  const options = { prefix: 'drain:', startingRooms: ['lobby'], drainMs: 3_000, messageBurst: 1_000 }
  const [one, two] = [await openRooms(redis.url, options, t), await openRooms(redis.url, options, t)]
  const count = scaled(1_000, 100)
  const closedAt: number[] = []
  const backAt: number[] = []
  const back: Client[] = []
  const comesBack = async (client: Client): Promise<void> => {
    closedAt.push(performance.now())
    assert.equal(client.closed?.code, 1012)
    const heard = client.messages.filter(({ context }) => context === 'user').at(-1)!
    const again = await connect(two.url, t)
    const reply = await again.request({
      event: 'resume',
      rooms: { lobby: { epoch: heard['epoch'], last: heard['id'] } },
    })
    const { lobby } = reply['data'] as { lobby: { recovered: boolean } }
    assert.equal(lobby.recovered, true)
    backAt.push(performance.now())
    // What came before and after, as one.
    again.messages.unshift(...client.messages.filter(({ context }) => context === 'user'))
    back.push(again)
  }
  const returns: Promise<void>[] = []
  for (let at = 0; at < count; at += 50) {
    await Promise.all(
      Array.from({ length: Math.min(50, count - at) }, async () => {
        const client = await one.connect()
        await client.request({ event: 'roomAdd', room: 'lobby' })
        client.socket.once('close', () => returns.push(comesBack(client)))
      }),
    )
  }
  await two.app.rooms.broadcast(null, 'lobby', 0)
  let said = 0
  let isOver = false
  const talking = (async () => {
    while (!isOver) {
      said += 1
      await two.app.rooms.broadcast(null, 'lobby', said)
      // Time is the subject: messages all the while, before and during the drain.
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  await until(() => said > 5)
  const before = performance.now()
  await one.app.close()
  assert.ok(performance.now() - before < options.drainMs + 4_000)
  await until(() => returns.length === count && back.length === count, { deadlineMs: 15_000 })
  await Promise.all(returns)
  isOver = true
  await talking
  const spread = Math.max(...closedAt) - Math.min(...closedAt)
  assert.ok(spread > Math.min(options.drainMs, count * 2) / 4, `closed within ${spread} ms`)
  assert.ok(Math.max(...backAt) - before < 10_000)
  const all = Array.from({ length: said + 1 }, (_, index) => index)
  for (const client of back) {
    await until(() => client.said().length >= all.length, { what: `${client.said().length} of ${all.length}` })
    assert.deepEqual(client.said(), all)
  }
  assert.equal((await two.app.rooms.roomStatus('lobby')).membersCount, count)
})

test('[58] what was asked before the process ended is answered before its websocket is closed, in time whatever the app does', async (t) => {
  const options = { prefix: 'asked:', startingRooms: ['lobby'], drainMs: 100 }
  const asks: string[] = []
  const { app, connect } = await openRooms(redis.url, options, t, (app) => {
    app.get('/slow', { config: { action: 'slow' } }, async () => {
      asks.push('action')
      // Time is the subject: it takes longer than the window.
      await new Promise((resolve) => setTimeout(resolve, 400))
      return { isDone: true }
    })
    app.rooms.addMiddleware({
      name: 'thinks',
      onSayReceive: async (_connection, _room, said) => {
        asks.push('say')
        await new Promise((resolve) => setTimeout(resolve, 300))
        return said
      },
    })
    app.rooms.on('forever', () => {
      asks.push('event')
      return new Promise(() => undefined)
    })
  })
  const [asker, stuck] = [await connect(), await connect()]
  await asker.request({ event: 'roomAdd', room: 'lobby' })
  // A say is taken in its turn, an action beside it.
  const asked = [
    asker.request({ event: 'action', params: { action: 'slow' } }),
    asker.request({ event: 'say', room: 'lobby', message: 'the last word' }),
  ]
  stuck.send({ event: 'emit', name: 'forever', messageId: 1 })
  await until(() => asks.length === 3)
  const before = performance.now()
  const [action, say] = await Promise.all([...asked, app.close()])
  assert.ok(performance.now() - before < 4_000)
  assert.equal((action as { isDone: boolean }).isDone, true)
  assert.equal((say as { status: string }).status, 'OK')
  await until(() => asker.closed !== undefined && stuck.closed !== undefined)
  assert.deepEqual([asker.closed!.code, stuck.closed!.code], [1012, 1012])
  assert.deepEqual(asker.said(), ['the last word'])
})
