// A room of a contender in processes of their own: the one that the benchmark talks to is the server, its children are the
// members, and those who are connected and in no room.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { contend } from '../harness/contend.js'
import { openCountingSocket } from '../harness/counting-socket.js'
import { residentBytes } from '../harness/resident.js'

/** Messages that are said in one turn of the event loop. */
const BURST = 50
/** About 200 bytes as JSON. */
const MESSAGE = { kind: 'chat', author: 'Ada Lovelace', text: 'x'.repeat(150) }
/** A part of the message that comes once in each, however it is wrapped. */
const MARK = '"kind":"chat"'
/** Connections that are opened at once. */
const AT_ONCE = 50

/**
 * Runs `file` as a contender. `openServer` answers `{ url, say(message), close() }`, with heartbeats so rare that none comes.
 * `join` and `connect` answer how a client speaks with that server until it is in the room, or connected: see
 * `openCountingSocket`. BENCH_MEMBERS are in the room, BENCH_IDLE beside it.
 */
export async function crowd(file, { openServer, join, connect }) {
  const { BENCH_ROLE: role, BENCH_MEMBERS: members, BENCH_IDLE: idle } = process.env
  if (role === 'members') await beMembers(Number(members), join)
  else if (role === 'idle') await beIdle(Number(idle), connect)
  else await contend(() => serve(file, openServer))
}

/** Tells the parent when so many deliveries have come as it waits for. */
async function beMembers(count, join) {
  let heard = 0
  let wanted = Number.POSITIVE_INFINITY
  const tell = () => {
    if (heard < wanted) return
    wanted = Number.POSITIVE_INFINITY
    process.send('heard')
  }
  const hear = (count) => {
    heard += count
    tell()
  }
  await openAll(count, () => ({ talk: join(), mark: MARK, hear }))
  process.on('message', (total) => {
    wanted = total
    tell()
  })
  process.send('ready')
}

async function beIdle(count, connect) {
  const hear = () => {
    throw new Error('nobody is told what was said in a room where he is not')
  }
  await openAll(count, () => ({ talk: connect(), mark: MARK, hear }))
  process.send('ready')
}

async function openAll(count, how) {
  process.once('disconnect', () => process.exit())
  for (let open = 0; open < count; open += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - open) }, () =>
      openCountingSocket(process.env.BENCH_URL, how()),
    )
    await Promise.all(some)
  }
}

async function serve(file, openServer) {
  const server = await openServer()
  const children = []
  const start = async (role) => {
    const child = fork(file, { env: { ...process.env, BENCH_ROLE: role, BENCH_URL: server.url } })
    children.push(child)
    const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (said !== 'ready') throw new Error(`the process of the ${role} has ended with ${said}`)
    return child
  }
  const members = Number(process.env.BENCH_MEMBERS)
  const child = await start('members')
  const idle = Number(process.env.BENCH_IDLE ?? 0)
  const before = residentBytes()
  if (idle > 0) await start('idle')
  const bytesEach = (residentBytes() - before) / idle
  let said = 0
  const untilHeard = async (count) => {
    said += count
    const heard = once(child, 'message')
    child.send(said * members)
    for (let index = 0; index < count; index += 1) server.say(MESSAGE)
    await heard
  }
  return {
    operations: {
      /** A burst, until every member has heard all of it. */
      burst: () => untilHeard(BURST),
      /** A lone message, until every member has heard it. */
      lone: () => untilHeard(1),
    },
    measures: {
      /** What a connection that is in no room keeps in the server's memory. */
      idleBytes: async () => bytesEach,
    },
    close: async () => {
      for (const child of children) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await server.close()
    },
  }
}
