// Calls through an outage: carried out once at most, answered rightly or with an error.
import type { Pair } from '../pair.ts'
import type { Probe } from '../probe.ts'

interface Echo {
  readonly n: number
  readonly lane: number
}

export function callsProbe({ a, b }: Pair): Probe {
  const runs = new Map<string, number>()
  let strange = 0
  for (const app of [a, b]) {
    app.pubsub.handle('outage.echo', (args) => {
      const { n, lane } = args as Echo
      const run = `${n} ${lane} ${app.pubsub.id}`
      runs.set(run, (runs.get(run) ?? 0) + 1)
      return n
    })
  }
  return {
    subject: 'calls',
    lanes: 3,
    pauseMs: 30,
    async step(n, lane) {
      const args: Echo = { n, lane }
      if (lane < 2) {
        const [from, to] = lane === 0 ? [a, b] : [b, a]
        if ((await from.pubsub.call('outage.echo', args, { node: to.pubsub.id })) !== n) strange += 1
        return
      }
      const answers = await a.pubsub.callAll('outage.echo', args)
      for (const answer of answers) {
        if ('error' in answer) throw answer.error
        if (answer.result !== n) strange += 1
      }
      if (answers.length !== 2) strange += 1
    },
    async settle() {
      const doubled = [...runs.values()].reduce((sum, times) => sum + times - 1, 0)
      return { lost: 0, doubled, wrong: strange === 0 ? [] : [`${strange} calls were answered wrongly`] }
    },
  }
}
