// Pings come round to each connection once in an interval, and not to all of them in one turn of the event loop.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis, until } from 'fastify-ah-test-support'
import { openRooms } from './open-rooms.ts'

const redis = await startRedis({}, test)

test('connections are pinged one after the other, as they came: each once in an interval, whoever comes and goes', async (t) => {
  const options = { prefix: 'rounds:', startingRooms: ['lobby'], pingMs: 400, pongMs: 5_000 }
  const { connect } = await openRooms(redis.url, options, t)
  const pings: { who: number; at: number }[] = []
  const connectedAt: number[] = []
  const clients = []
  for (let who = 0; who < 20; who += 1) {
    const client = await connect()
    connectedAt.push(performance.now())
    client.socket.on('ping', () => pings.push({ who, at: performance.now() }))
    clients.push(client)
    // Time is the subject: they come over most of an interval.
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  clients[3]!.socket.terminate()
  clients[17]!.socket.terminate()
  const left = clients.map((_, who) => who).filter((who) => who !== 3 && who !== 17)
  const of = (who: number) => pings.filter((ping) => ping.who === who).map(({ at }) => at)
  await until(() => left.every((who) => of(who).length >= 4), { deadlineMs: 10_000 })
  for (const who of left) {
    const times = [connectedAt[who]!, ...of(who).slice(0, 4)]
    const gaps = times.slice(1).map((at, index) => at - times[index]!)
    // A turn that comes late is late for one ping, and the next is counted from there.
    assert.ok(
      gaps.every((gap) => gap > options.pingMs * 0.6),
      `${who}: ${gaps.map(Math.round)}`,
    )
  }
  // Those of one turn come in one moment: with all in one turn there would be one for each round.
  const firsts = left.map((who) => of(who)[0]!).sort((one, other) => one - other)
  const moments = firsts.filter((at, index) => index === 0 || at - firsts[index - 1]! > 10).length
  assert.ok(moments >= 4, `${moments} moments`)
  assert.deepEqual(
    clients.map(({ closed }) => closed?.code),
    clients.map((_, who) => (left.includes(who) ? undefined : 1006)),
  )
})
