// Which test files there are, on which Nodes each runs, and how many at a time.
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { basename, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentNode, otherNodes } from './node-versions.js'
import { root } from './root.js'

/** These run on every Node that we support; test/embedded and test/published bring the other Nodes themselves. */
const onEveryNode = ['kit', 'cache']
/** Except what breaks processes, servers and connections: it proves the same on every Node, and takes long. */
const onOneNode = new Set([
  ...[
    'boot',
    'boot-process',
    'close',
    'cluster',
    'cluster-faults',
    'dedicated',
    'outage',
    'refusals',
    'sentinel',
    'shared-beat',
    'tracking',
    'silence',
  ],
  ...['cli', 'large', 'listing-cluster', 'processes', 'produce-processes', 'redis-answers', 'redis-cluster', 'repeats'],
  ...['local-cluster', 'local-contract', 'local-contract-cluster', 'local-lost', 'local-process', 'local-processes'],
  ...['local-refused', 'local-sentinel'],
])
/** These take longest, so they go first and nobody waits for them at the end. */
const first = ['cluster', 'published']
/** These fill the machine by themselves (a browser, a whole cluster), so each of their files runs alone, after all others. */
const alone = ['together']
/** Time is what this one measures: how long several processes may read what another has written over. */
const aloneFiles = new Set(['local-processes'])
/** As many files as this at a time whatever the machine does, and at most. Between them a processor has to be idle. */
const LEAST = availableParallelism()
const MOST = 3 * LEAST
/** Part of one processor's time that must have been idle since the last file began, for one more. */
const ROOM = 0.35
/** A process that has just begun is busy for a moment, whatever it does then. */
const BEGIN_MS = 1_000

/** Every run there is, or those of one folder: `{ folder, file, node, isAlone }`. */
export function runsOf(only) {
  const folders = readdirSync(join(root, 'test')).filter((folder) => only === undefined || folder === only)
  return folders.flatMap((folder) => {
    const others = onEveryNode.includes(folder) ? otherNodes() : []
    return filesOf(folder).flatMap((file) => {
      const nodes = onOneNode.has(basename(file, '.test.js')) ? [currentNode] : [currentNode, ...others]
      return nodes.map((node) => ({
        folder,
        file,
        node,
        isAlone: alone.includes(folder) || aloneFiles.has(basename(file, '.test.js')),
      }))
    })
  })
}

/**
 * Calls `work` for every run: the longest first, then one by one those that want the machine for themselves. Most tests
 * wait for a lease, a timer or a server most of the time, so more files run at once than there are processors: as many
 * as keep them busy.
 */
export async function inLanes(runs, work) {
  const shared = runs.filter(({ isAlone }) => !isAlone)
  const queue = shared.sort((a, b) => Number(first.includes(b.folder)) - Number(first.includes(a.folder)))
  const running = new Set()
  for (const next of queue) {
    await room(running)
    const ended = work(next).finally(() => running.delete(ended))
    running.add(ended)
  }
  await Promise.all(running)
  for (const next of runs.filter(({ isAlone }) => isAlone)) await work(next)
}

/** Waits until one more may begin. */
async function room(running) {
  let since = performance.now()
  let idle = idleMs()
  while (running.size >= LEAST) {
    // Time is the subject: how much of it was idle.
    await Promise.race([sleep(BEGIN_MS), ...running])
    const elapsed = performance.now() - since
    if (elapsed < BEGIN_MS) continue
    if (running.size < MOST && idleMs() - idle >= ROOM * elapsed) return
    since = performance.now()
    idle = idleMs()
  }
}

/** What all processors together have been idle since the machine's start. */
function idleMs() {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0)
}

function filesOf(folder) {
  const dist = join(root, 'test', folder, 'dist')
  if (!existsSync(dist)) return []
  return (
    readdirSync(dist, { recursive: true })
      // What was compiled from a file that is gone by now is still there.
      .filter((name) => name.endsWith('.test.js') && existsSync(join(root, 'test', folder, name.replace(/js$/, 'ts'))))
      .sort()
      .map((name) => relative(root, join(dist, name)))
  )
}
