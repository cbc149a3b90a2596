// The list of nodes through an outage: who lives is on it, and nobody is said to have left.
import type { Pair } from '../pair.ts'
import type { Probe } from '../probe.ts'

export function nodesProbe({ a, b }: Pair): Probe {
  const apps = [a, b]
  let missing = 0
  let left = 0
  return {
    subject: 'nodes',
    lanes: 2,
    pauseMs: 50,
    async begin() {
      for (const app of apps)
        app.pubsub.on('nodeLeft', () => {
          left += 1
        })
    },
    async step(_n, lane) {
      const listed = (await (apps[lane] as typeof a).pubsub.nodes()).map(({ id }) => id)
      if (apps.some(({ pubsub }) => !listed.includes(pubsub.id))) missing += 1
    },
    async settle() {
      const wrong = left === 0 ? [] : [`${left} times a living node was said to have left`]
      return { lost: missing, doubled: 0, wrong }
    },
  }
}
