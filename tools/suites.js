// Which test files there are, on which Nodes each runs, and how many at a time.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { currentNode, otherNodes } from './node-versions.js'
import { root } from './root.js'

/** These run on every Node that we support; test/embedded and test/published bring the other Nodes themselves. */
const onEveryNode = ['kit', 'cache']
/** Except what breaks processes, servers and connections: it proves the same on every Node, and takes long. */
const onOneNode = new Set([
  ...[
    'boot',
    'close',
    'cluster',
    'cluster-faults',
    'dedicated',
    'outage',
    'refusals',
    'sentinel',
    'shared-beat',
    'silence',
  ],
  ...['cli', 'large', 'processes', 'produce-processes', 'redis-answers', 'redis-cluster', 'repeats'],
  ...['local-cluster', 'local-contract', 'local-contract-cluster', 'local-lost', 'local-process', 'local-processes'],
  ...['local-refused', 'local-sentinel'],
])
/** These take longest, so they go first and nobody waits for them at the end. */
const first = ['cluster', 'published']
/** These fill the machine by themselves (a browser, a whole cluster), so each of their files runs alone, after all others. */
const alone = ['together']
/** Time is what this one measures: how long several processes may read what another has written over. */
const aloneFiles = new Set(['local-processes'])
/** One more than there are cores: most tests wait for a lease, a timer or a server most of the time. */
const LANES = 3

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

/** Calls `work` for every run: some at a time, the longest first, then one by one those that want the machine for themselves. */
export async function inLanes(runs, work) {
  const shared = runs.filter(({ isAlone }) => !isAlone)
  const queue = shared.sort((a, b) => Number(first.includes(b.folder)) - Number(first.includes(a.folder)))
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  for (const next of runs.filter(({ isAlone }) => isAlone)) await work(next)
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
