// The whole key map: Resque's keys, which node-resque and Ruby's Resque share with us, and ours below `ah:`.

/** Where everything lies: `resque:…`, on Cluster `{resque}:…`, so that one script can touch it all. */
export interface TaskKeys {
  /** What every key begins with; scripts derive the keys of queues, processors and jobs from it. */
  readonly root: string

  // Resque's own, as node-resque 9 writes and reads them.
  /** Set: the names of all queues. */
  readonly queues: string
  /** List: the payloads that wait. */
  queue(name: string): string
  /** List: the bare jobs of one second. */
  delayed(seconds: number): string
  /** Sorted set: the seconds that have a list. */
  readonly delayedSchedule: string
  /** Set: the `delayed:<seconds>` lists that a payload stands in. */
  timestamps(payload: string): string
  /** List: JSON entries of what failed for good. */
  readonly failed: string
  /** Set: `<name>:<queues>` of all workers. */
  readonly workers: string
  /** String: what a worker has been working on for a while. */
  worker(fullName: string): string
  readonly processedCount: string
  readonly failedCount: string
  /** String: who schedules. */
  readonly leader: string

  // Ours.
  /** Hash of one process: claim number → mark and payload; `last` number, `batch` and its verdicts. */
  claims(bootId: string): string
  /** Hash of one process: claim number → the concurrency key that it takes up. */
  holds(bootId: string): string
  /** List: what others tell one process. */
  mail(bootId: string): string
  /** Sorted set: boot id → end of its lease, in ms by Redis. */
  readonly processors: string
  /** Hash: boot id → its entry in `workers`. */
  readonly registrations: string
  /** The shared last-beat of all processors. */
  readonly beat: string
  /** Written before replicas are waited for: whoever has that has what was enqueued before. */
  readonly confirmed: string
  /** List of at most one token: jobs came into the queue. */
  wake(queue: string): string
  /** Likewise: a queue came into being. */
  readonly wakeNew: string
  /** List: processors that have nothing to do, and would work this queue; `*` for those that work all. */
  idle(queue: string): string
  /** Set: queues that have jobs of dead processes. */
  readonly returned: string
  /** List: jobs that may have killed their process; served first, one at a time. */
  suspects(queue: string): string
  /** List: jobs of dead processes that are not to blame; served first. */
  recovered(queue: string): string
  /** Set: queues that nobody takes from just now. */
  readonly paused: string
  /** Sorted set: ids that are not to run → when that was said. */
  readonly cancelled: string
  /** Sorted set: id → due time in ms by Redis. */
  readonly scheduled: string
  /** Hash: id → mark and payload of a scheduled job. */
  readonly scheduledJobs: string
  /** Set of one concurrency key: `<boot id>:<claim>` of those who run. */
  slots(name: string): string
  /** List of one concurrency key: the jobs that wait for a slot. */
  parked(name: string): string
  /** Hash: queue → how many of its jobs are parked. */
  readonly parkedCounts: string
  /** Hash: concurrency key that has parked jobs → how many may run, and when one last came or went, in ms by Redis. */
  readonly limits: string
  /** Hash: state, progress and outcome of a tracked job. */
  track(id: string): string
  /** String: the id that a dedupe key stands for. */
  dedupe(name: string): string
  /** Hash: task → its next tick, in ms by Redis. */
  readonly ticks: string
  /** Hash: task → the tick whose job is not finished. */
  readonly openTicks: string
  /** Hash: fingerprint of a release's definitions → its number and when it was last seen. */
  readonly releases: string
  /** What the records begin with by which repeats of a call are told. */
  readonly calls: string
}

/** The key map of a namespace. */
export function makeKeys({ namespace, isTagged }: { namespace: string; isTagged: boolean }): TaskKeys {
  const root = isTagged ? `{${namespace}}:` : `${namespace}:`
  const own = `${root}ah:`
  return Object.freeze<TaskKeys>({
    root,
    queues: `${root}queues`,
    queue: (name) => `${root}queue:${name}`,
    delayed: (seconds) => `${root}delayed:${seconds}`,
    delayedSchedule: `${root}delayed_queue_schedule`,
    timestamps: (payload) => `${root}timestamps:${payload}`,
    failed: `${root}failed`,
    workers: `${root}workers`,
    worker: (fullName) => `${root}worker:${fullName}`,
    processedCount: `${root}stat:processed`,
    failedCount: `${root}stat:failed`,
    leader: `${root}resque_scheduler_leader_lock`,
    claims: (bootId) => `${own}claims:${bootId}`,
    holds: (bootId) => `${own}holds:${bootId}`,
    mail: (bootId) => `${own}mail:${bootId}`,
    processors: `${own}processors`,
    registrations: `${own}registrations`,
    beat: `${own}beat`,
    confirmed: `${own}confirmed`,
    wake: (queue) => `${own}wake:${queue}`,
    wakeNew: `${own}wake-new`,
    idle: (queue) => `${own}idle:${queue}`,
    returned: `${own}returned`,
    suspects: (queue) => `${own}suspects:${queue}`,
    recovered: (queue) => `${own}recovered:${queue}`,
    paused: `${own}paused`,
    cancelled: `${own}cancelled`,
    scheduled: `${own}scheduled`,
    scheduledJobs: `${own}scheduled-jobs`,
    slots: (name) => `${own}slots:${name}`,
    parked: (name) => `${own}parked:${name}`,
    parkedCounts: `${own}parked-counts`,
    limits: `${own}limits`,
    track: (id) => `${own}track:${id}`,
    dedupe: (name) => `${own}dedupe:${name}`,
    ticks: `${own}ticks`,
    openTicks: `${own}open-ticks`,
    releases: `${own}releases`,
    calls: `${own}calls`,
  })
}

/** What comes after the namespace: a namespace that went on like this would meet another's keys. */
const kinds =
  /:(?:queues?|delayed|delayed_queue_schedule|timestamps|failed|workers?|stat|resque_scheduler_leader_lock|lock|workerslock|resque-retry|failure-resque-retry|ah)(?::|$)/

/** Whether a text can be a namespace: no spaces, braces or globs, and never inside of another one's keys. */
export function isNamespace(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
  return text !== '' && !/[\s{}*?[\]\\\u0000-\u001f\u007f]/.test(text) && !/^:|:$|::/.test(text) && !kinds.test(text)
}
