// Rooms of 200 and 1000 members against socket.io with its Redis adapter, faye, and what one writes by hand on ws: bursts
// of 50 messages of 200 bytes, and lone ones, until every member has heard them. All members are in one process of their own.
import { startRedis } from 'fastify-ah-test-support'

/** Of each measurement. */
const MS = 500

/** Peer → target in bursts, and for lone messages; ws has neither Redis nor rooms, and no target but to be beaten in bursts. */
const targets = {
  'socket.io with Redis': { burst: 3, lone: 1 },
  faye: { burst: 3, lone: 1 },
  'ws, by hand': { burst: 1, lone: undefined },
}

const files = { 'socket.io with Redis': 'rooms-socket-io.js', faye: 'rooms-faye.js', 'ws, by hand': 'rooms-ws.js' }

export default async function rooms(session) {
  for (const members of [200, 1000]) {
    if (
      !Object.keys(files).some((name) => ['burst', 'lone'].some((kind) => session.wants(nameOf(kind, members, name))))
    )
      continue
    const redis = await startRedis({}, session)
    const env = { BENCH_REDIS: redis.url, BENCH_MEMBERS: String(members) }
    const ours = await session.contender('rooms-ours.js', env)
    for (const [name, file] of Object.entries(files)) {
      const peer = await session.contender(file, env)
      for (const kind of ['burst', 'lone']) {
        const target = targets[name][kind]
        if (target === undefined) continue
        await session.duel({
          name: nameOf(kind, members, name),
          unit: kind === 'burst' ? 'bursts of 50 messages/s' : 'messages/s',
          target,
          ours: () => ours.rate(kind, { callers: 1, ms: MS }),
          peer: () => peer.rate(kind, { callers: 1, ms: MS }),
        })
      }
      await peer.close()
    }
    await ours.close()
  }
}

function nameOf(kind, members, peer) {
  return `${kind === 'burst' ? 'burst' : 'lone messages'}, ${members} members, against ${peer}`
}
