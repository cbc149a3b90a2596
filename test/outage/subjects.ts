// Which probes there are.
import type { Pair } from './pair.ts'
import type { Probe } from './probe.ts'
import { cacheProbe } from './probes/cache.ts'
import { callsProbe } from './probes/calls.ts'
import { jobsProbe } from './probes/jobs.ts'
import { locksProbe } from './probes/locks.ts'
import { nodesProbe } from './probes/nodes.ts'
import { pubsubProbe } from './probes/pubsub.ts'
import { roomsProbe } from './probes/rooms.ts'
import { schedulerProbe } from './probes/scheduler.ts'
import { statsProbe } from './probes/stats.ts'

/** What may be lost where Redis itself forgets; everywhere else nothing may. */
export const notDurable = 'tasks, not durable'

/** One for each subject; made before the apps boot. */
export function probesFor(pair: Pair): readonly Probe[] {
  const jobs = { jobMs: 0, lanes: 1, pauseMs: 80 }
  return [
    cacheProbe(pair),
    locksProbe(pair),
    statsProbe(pair),
    pubsubProbe(pair),
    callsProbe(pair),
    nodesProbe(pair),
    jobsProbe(pair, { ...jobs, subject: 'tasks idle', queues: 'idle' }),
    jobsProbe(pair, { subject: 'tasks mid-job', queues: 'busy', jobMs: 300, lanes: 5, pauseMs: 20, isSpanned: true }),
    // Without replicas all are like this.
    ...(pair.hasReplicas
      ? [jobsProbe(pair, { ...jobs, subject: notDurable, queues: 'plain', lanes: 4, pauseMs: 10 })]
      : []),
    schedulerProbe(pair),
    roomsProbe(pair),
  ]
}
