// A room of a contender in two processes: the one that the benchmark talks to is the server, its child all the members.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { contend } from '../harness/contend.js'

/** Messages that are said in one turn of the event loop. */
const BURST = 50
/** About 200 bytes as JSON. */
const MESSAGE = { kind: 'chat', author: 'Ada Lovelace', text: 'x'.repeat(150) }

/**
 * Runs `file` as a contender. `openServer` answers `{ url, say(message), close() }`; `openMember(url, hear)` resolves when it
 * is in the room, and calls `hear` with each message, out of its JSON or not, as the peer's own client does it.
 */
export async function crowd(file, openServer, openMember) {
  if (process.env.BENCH_ROLE === 'members') await join(openMember)
  else await contend(() => serve(file, openServer))
}

/** Tells the parent when so many deliveries have come as it waits for. */
async function join(openMember) {
  let heard = 0
  let wanted = Number.POSITIVE_INFINITY
  const tell = () => {
    if (heard < wanted) return
    wanted = Number.POSITIVE_INFINITY
    process.send('heard')
  }
  for (let member = 0; member < Number(process.env.BENCH_MEMBERS); member += 1) {
    await openMember(process.env.BENCH_URL, () => {
      heard += 1
      tell()
    })
  }
  process.on('message', (total) => {
    wanted = total
    tell()
  })
  process.once('disconnect', () => process.exit())
  process.send('ready')
}

async function serve(file, openServer) {
  const server = await openServer()
  const members = Number(process.env.BENCH_MEMBERS)
  const env = { ...process.env, BENCH_ROLE: 'members', BENCH_URL: server.url }
  const child = fork(file, { env })
  await once(child, 'message')
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
    close: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
      await server.close()
    },
  }
}
