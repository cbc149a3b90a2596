// What the contenders of the tasks' benchmark have in common: how fast waiting jobs are worked, how soon one starts, how
// fast many are enqueued. A contender says how its side enqueues, how it starts and stops a worker, and nothing else.
import { Redis } from 'ioredis'
import { contend } from '../harness/contend.js'

/** The inputs of every job. */
export const inputs = { to: 'ada@example.com', subject: 'welcome', count: 1 }

/** Jobs of a measurement, by how many run at a time; the first tenth is not timed. */
const JOBS = { 1: 8_000, 10: 20_000, 100: 40_000 }
const STARTS = 100
const BULK = 1_000

/**
 * `open(url)` answers `{ add, addBulk?, work, close }`: `add()` one job, `addBulk(count)` that many in the peer's best
 * way, `work(concurrency, onJob)` starts a worker and answers how to stop it.
 */
export async function contendTasks(open) {
  const url = process.env.BENCH_REDIS
  const redis = new Redis(url)
  await redis.flushdb()
  const side = await open(url, redis)
  const addBulk = side.addBulk ?? (async (count) => void (await addInTurns(side.add, count)))
  const rate = (concurrency, waiting) => worked(side, addBulk, redis, concurrency, waiting)
  await contend(async () => ({
    operations: { add: () => side.add() },
    measures: {
      work1: () => rate(1),
      work10: () => rate(10),
      work100: () => rate(100),
      deep: () => rate(100, 1_000_000),
      p50: async () => (await starts(side))[STARTS / 2],
      p99: async () => (await starts(side))[STARTS * 0.99 - 1],
      bulk: (ms) => bulk(addBulk, ms),
      clear: async () => {
        await redis.flushdb()
        return 0
      },
    },
    close: async () => {
      await side.close()
      redis.disconnect()
    },
  }))
}

/** Jobs per second, from the end of the first tenth to the last, whose number is exact. */
async function worked(side, addBulk, redis, concurrency, waiting) {
  const count = JOBS[concurrency]
  const first = count / 10
  if (waiting === undefined) {
    await redis.flushdb()
    await addBulk(count)
  } else {
    // What lies in the queue is copied: it need not be made job by job.
    await side.fill(redis, waiting)
  }
  let done = 0
  let start = 0

  const end = await new Promise((resolve, reject) => {
    const onJob = () => {
      done += 1
      if (done === first) start = performance.now()
      if (done === count) resolve(performance.now())
    }
    Promise.resolve(side.work(concurrency, onJob)).then((stop) => {
      side.stop = stop
    }, reject)
  })
  while (side.stop === undefined) await new Promise((resolve) => setTimeout(resolve, 1))
  await side.stop()
  side.stop = undefined
  return ((count - first) / (end - start)) * 1000
}

/** From the call of `add` to the start of the job, by an idle worker, in ms, ascending. */
async function starts(side) {
  let started = () => undefined
  const stop = await side.work(1, () => started(performance.now()))
  const times = []
  for (let index = 0; index < STARTS + 5; index += 1) {
    // Idle: nothing of the job before is under way any more.
    await new Promise((resolve) => setTimeout(resolve, 8 + (index % 7)))
    const before = performance.now()
    const start = new Promise((resolve) => {
      started = resolve
    })
    await Promise.all([side.add(), start])
    const ms = (await start) - before
    if (index >= 5) times.push(ms)
  }
  await stop()
  return times.sort((a, b) => a - b)
}

/** Jobs per second, in batches of a thousand, each awaited. */
async function bulk(addBulk, ms) {
  const start = performance.now()
  let count = 0
  while (performance.now() - start < ms) {
    await addBulk(BULK)
    count += BULK
  }
  return (count / (performance.now() - start)) * 1000
}

async function addInTurns(add, count) {
  let left = count
  const caller = async () => {
    while (left > 0) {
      left -= 1
      await add()
    }
  }
  await Promise.all(Array.from({ length: 64 }, caller))
}
