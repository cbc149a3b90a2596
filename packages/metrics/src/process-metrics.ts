// Measures a process: memory, processor, event loop, and the loops of the plugins.
import { performance } from 'node:perf_hooks'
import { runningLoops, type WatchedLoop } from 'fastify-ah-kit'
import { Bounded } from './bounded.ts'
import type { Instruments, Readings } from './instruments.ts'

// How often the event loop's lag is measured.
const lagMs = 250
const lagBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const microseconds = 1e6

/** Measures until it is stopped. */
export class ProcessMetrics {
  readonly #timer: NodeJS.Timeout

  /** `worker`: the label that tells this process from the others. */
  constructor(instruments: Instruments, worker: string, maxLabels: number) {
    const labels = ['worker']
    instruments.shown({ name: 'worker_memory_bytes', help: 'Memory, by kind.', labels: ['worker', 'kind'] }, () => {
      const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
      return Object.entries({ rss, heap_total: heapTotal, heap_used: heapUsed, external }).map(
        ([kind, bytes]) => [{ worker, kind }, bytes] as const,
      )
    })
    instruments.counted(
      { name: 'worker_cpu_seconds_total', help: 'Time of the processor, system time too.', labels },
      () => {
        const { user, system } = process.cpuUsage()
        return [[{ worker }, (user + system) / microseconds]]
      },
    )
    instruments.shown(
      {
        name: 'worker_start_time_seconds',
        help: 'When the process was started, in seconds since 1970.',
        labels,
        aggregator: 'max',
      },
      () => [[{ worker }, performance.timeOrigin / 1000]],
    )
    this.#timer = measureLag(instruments, worker)
    showLoops(instruments, worker, maxLabels)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function measureLag(instruments: Instruments, worker: string): NodeJS.Timeout {
  const lag = instruments.histogram({
    name: 'event_loop_lag_seconds',
    help: `By how much a timer of ${lagMs} ms came late.`,
    labels: ['worker'],
    buckets: lagBuckets,
  })
  let last = performance.eventLoopUtilization()
  instruments.shown(
    {
      name: 'event_loop_utilization',
      help: 'Share of the time since the last look in which the event loop was busy, 0 to 1.',
      labels: ['worker'],
      aggregator: 'max',
    },
    () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      return [[{ worker }, utilization]]
    },
  )
  let due = performance.now() + lagMs
  const timer = setInterval(() => {
    const now = performance.now()
    lag.observe({ worker }, Math.max(0, now - due) / 1000)
    due = now + lagMs
  }, lagMs)
  return timer.unref()
}

function showLoops(instruments: Instruments, worker: string, maxLabels: number): void {
  const names = new Bounded(maxLabels)
  // Several may have one name: the worst of them counts.
  const worst = (read: (loop: WatchedLoop) => number): Readings => {
    const found = new Map<string, number>()
    for (const loop of runningLoops()) {
      const name = names.of(loop.name)
      found.set(name, Math.max(found.get(name) ?? 0, read(loop)))
    }
    return [...found].map(([loop, value]) => [{ worker, loop }, value] as const)
  }
  const labels = ['worker', 'loop']
  instruments.shown(
    {
      name: 'loop_stalled_seconds',
      help: 'How long a loop of a plugin has got nothing done: it is at a step, or fails. 0: it sleeps after a success.',
      labels,
      aggregator: 'max',
    },
    () => worst(({ stalledMs }) => stalledMs / 1000),
  )
  instruments.shown(
    { name: 'loop_failures', help: 'How often a loop has failed in a row.', labels, aggregator: 'max' },
    () => worst(({ failures }) => failures),
  )
}
