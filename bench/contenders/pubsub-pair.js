// Two processes of a contender in pub/sub: the one that the benchmark talks to publishes, its child hears.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { contend } from '../harness/contend.js'
import { median } from '../harness/statistics.js'

/** Messages that are published in one turn of the event loop. */
export const BURST = 500
/** Between two lone messages, in ms. */
const PAUSE_MS = 1

/** About 200 bytes as JSON; `sentAt` is on the clock that all processes of a machine share. */
export function messageOf(index, sentAt = 0) {
  return {
    index,
    sentAt,
    kind: 'order',
    customer: 'Ada Lovelace',
    city: 'Berlin',
    items: ['a', 'b'],
    note: 'x'.repeat(80),
  }
}

/**
 * Runs `file` as a contender. `openPublisher` answers `{ publish(message), close() }`, `openSubscriber(hear)` subscribes
 * and answers `{ close() }`; each message has gone through JSON in both.
 */
export async function pair(file, openPublisher, openSubscriber) {
  if (process.env.BENCH_ROLE === 'subscriber') await subscribe(openSubscriber)
  else await contend(() => publish(file, openPublisher))
}

/** Reports to the parent what it has heard: how many at the end of each burst, the delay of each lone message. */
async function subscribe(openSubscriber) {
  const { close } = await openSubscriber(({ index, sentAt }) => {
    if (sentAt > 0) process.send({ delay: now() - sentAt })
    else if (index % BURST === BURST - 1) process.send({ last: index })
  })
  process.once('message', async () => {
    await close()
    process.disconnect()
  })
  process.once('disconnect', () => process.exit())
  process.send('ready')
}

async function publish(file, openPublisher) {
  const child = fork(file, { env: { ...process.env, BENCH_ROLE: 'subscriber' } })
  await once(child, 'message')
  const publisher = await openPublisher()
  const waiting = new Map()
  const delays = []
  child.on('message', ({ last, delay }) => {
    if (delay === undefined) waiting.get(last)?.()
    else delays.push(delay)
  })
  let bursts = 0
  return {
    operations: {
      /** A burst, until the other process has heard its last message. */
      burst: async () => {
        const first = bursts * BURST
        bursts += 1
        const heard = new Promise((resolve) => waiting.set(first + BURST - 1, resolve))
        const sent = []
        for (let index = first; index < first + BURST; index += 1) sent.push(publisher.publish(messageOf(index)))
        await Promise.all(sent)
        await heard
        waiting.delete(first + BURST - 1)
      },
    },
    measures: {
      /** The median delay of a message that is alone, in µs. */
      lone: async (ms) => {
        delays.length = 0
        const end = performance.now() + ms
        let sent = 0
        for (; performance.now() < end; sent += 1) {
          await publisher.publish(messageOf(sent, now()))
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
        }
        while (delays.length < sent) await once(child, 'message')
        return median(delays)
      },
    },
    close: async () => {
      child.send('close')
      await Promise.all([publisher.close(), once(child, 'exit')])
    },
  }
}

/** In µs. */
function now() {
  return Number(process.hrtime.bigint() / 1000n)
}
