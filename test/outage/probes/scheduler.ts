// The scheduler through an outage: what is planned runs once, and recurring tasks go on.
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from 'fastify-ah-test-support'
import { Ledger, NotSeenError } from '../ledger.ts'
import { type Pair, tasksOf } from '../pair.ts'
import type { Probe } from '../probe.ts'

const delayMs = 150
const frequencyMs = 300
const ranWithinMs = 3_000

export function schedulerProbe({ a, b }: Pair): Probe {
  const ledger = new Ledger()
  const tasks = () => tasksOf(a, 'later')
  let ticks = 0
  let began = 0
  for (const app of [a, b]) {
    const own = tasksOf(app, 'later')
    own.define({
      name: 'tick',
      frequencyMs,
      run: () => {
        ticks += 1
      },
    })
    own.define({ name: 'later', run: ((n: number) => ledger.see(n)) as (inputs: unknown) => void })
  }
  const anotherTick = async () => {
    const before = ticks
    const deadline = performance.now() + ranWithinMs
    while (ticks === before) {
      if (performance.now() > deadline) throw new NotSeenError('no tick')
      // Between two looks.
      await sleep(20)
    }
  }
  return {
    subject: 'scheduler',
    lanes: 3,
    pauseMs: 50,
    async begin() {
      await until(() => ticks > 0, { what: 'the first tick' })
      began = performance.now()
      ticks = 0
    },
    async step(n) {
      try {
        await ledger.ask(n, tasks().enqueue('later', n, { delayMs, id: `later ${n}` }))
      } catch (error) {
        if ((error as { code?: string }).code !== 'AH_TASKS_NOT_DURABLE') throw error
      }
      await ledger.arrival(n, delayMs + ranWithinMs)
      await anotherTick()
    },
    async settle() {
      await until(() => ledger.missing().length === 0, { deadlineMs: 15_000 }).catch(() => undefined)
      const most = Math.ceil((performance.now() - began) / frequencyMs) + 1
      const wrong = [
        ...(ticks > most ? [`${ticks} ticks where there were ${most} times for it`] : []),
        ...(ledger.ghosts() === 0 ? [] : [`${ledger.ghosts()} ran, and were said to be not planned`]),
      ]
      return { lost: ledger.missing().length, doubled: ledger.doubled(), wrong }
    },
  }
}
