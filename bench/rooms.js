// Rooms of 200 and 1000 members against socket.io with its Redis adapter, faye, and what one writes by hand on ws: bursts
// of 50 messages of 200 bytes, and lone ones, until every member has heard them. Then what a connection costs that is in no room:
// its memory, and what is said in a room beside ten thousand of them. All members are in one process of their own and only count.
import { startRedis } from 'fastify-ah-test-support'

/** Of each measurement. */
const MS = 500
const IDLE = 10_000
const BYTES_EACH = 12_000

/** Peer → target in bursts, and for lone messages; ws has neither Redis nor rooms, and no target but to be beaten in bursts. */
const targets = {
  'socket.io with Redis': { burst: 3, lone: 1 },
  faye: { burst: 3, lone: 1 },
  'ws, by hand': { burst: 1, lone: undefined },
}

const files = { 'socket.io with Redis': 'rooms-socket-io.js', faye: 'rooms-faye.js', 'ws, by hand': 'rooms-ws.js' }
const kinds = ['burst', 'lone']

export default async function rooms(session) {
  for (const members of [200, 1000]) await compare(session, members)
  await beside(session)
  await remember(session)
}

/** Each kind against each peer. */
async function compare(session, members) {
  const names = Object.keys(files).flatMap((peer) => kinds.map((kind) => nameOf(kind, members, peer)))
  if (!names.some((name) => session.wants(name))) return
  const redis = await startRedis({}, session)
  const env = { BENCH_REDIS: redis.url, BENCH_MEMBERS: String(members) }
  const ours = await session.contender('rooms-ours.js', env)
  for (const [name, file] of Object.entries(files)) {
    const peer = await session.contender(file, env)
    for (const kind of kinds) {
      const target = targets[name][kind]
      if (target === undefined) continue
      await session.duel({
        name: nameOf(kind, members, name),
        unit: unitOf(kind),
        target,
        ours: () => ours.rate(kind, { callers: 1, ms: MS }),
        peer: () => peer.rate(kind, { callers: 1, ms: MS }),
      })
    }
    await peer.close()
  }
  await ours.close()
}

/** Ours against ours: with many connections outside of the room, and with none. */
async function beside(session) {
  const nameOfKind = (kind) => `${kindOf(kind)}, 200 members, beside 10 000 idle connections, against none`
  if (!kinds.some((kind) => session.wants(nameOfKind(kind)))) return
  const redis = await startRedis({}, session)
  const env = { BENCH_REDIS: redis.url, BENCH_MEMBERS: '200' }
  const alone = await session.contender('rooms-ours.js', env)
  // Rooms of its own: else each would hear the other.
  const other = await startRedis({}, session)
  const crowded = await session.contender('rooms-ours.js', {
    ...env,
    BENCH_REDIS: other.url,
    BENCH_IDLE: String(IDLE),
  })
  for (const kind of kinds) {
    await session.duel({
      name: nameOfKind(kind),
      unit: unitOf(kind),
      target: 0.9,
      ours: () => crowded.rate(kind, { callers: 1, ms: MS }),
      peer: () => alone.rate(kind, { callers: 1, ms: MS }),
    })
  }
  await crowded.close()
  await alone.close()
}

/** What stays in memory of a connection. */
async function remember(session) {
  const name = 'resident memory for each of 10 000 connections in no room'
  if (!session.wants(name)) return
  const redis = await startRedis({}, session)
  const env = { BENCH_REDIS: redis.url, BENCH_MEMBERS: '1', BENCH_IDLE: String(IDLE) }
  const bytes = async (file) => {
    const contender = await session.contender(file, env)
    const each = await contender.measure('idleBytes', 0)
    await contender.close()
    return each
  }
  const ours = await bytes('rooms-ours.js')
  const peers = {}
  for (const [peer, file] of Object.entries(files)) peers[peer] = await bytes(file)
  session.count({ name, unit: 'bytes', most: BYTES_EACH, ours, peers })
}

function nameOf(kind, members, peer) {
  return `${kindOf(kind)}, ${members} members, against ${peer}`
}

function kindOf(kind) {
  return kind === 'burst' ? 'burst' : 'lone messages'
}

function unitOf(kind) {
  return kind === 'burst' ? 'bursts of 50 messages/s' : 'messages/s'
}
