// docs/outage.md: what the outage matrix said, when, on what, a part for each topology.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { join } from 'node:path'
import { root } from './root.js'

const file = join(root, 'docs/outage.md')

const head = `# The outage matrix

Written by \`npm run outage\`: what happens to each plugin when Redis is broken in each way. In each row two apps with all plugins
work on one Redis, which is broken once; every subject works through that same outage. How it is measured stands in
[testing.md](testing.md#outages).

- **Redis away**: from the break until Redis itself was able again (it answers, a successor leads, the network passes).
- **resumed**: from then until work went on, at most 5 000 ms; it includes a whole piece of work, such as a job of 300 ms.
- **lost**: acknowledged, and gone. **Told**: missed, and those concerned were told so (\`gap\`).
- **doubled**: came to be twice. **Errors**: calls that were told an error meanwhile.

A replica that takes over from a master that was killed or frozen lacks what that one had not sent it yet: there, and nowhere
else, cache, stats, rooms and jobs that are enqueued without \`durability\` may lose what was acknowledged, and a job may run again.
What is not as promised stands in bold.
`

/** A table of rows: `{ topology, fault, senseless }`, or with `row`, or with `failure`. */
export function outageTable(results) {
  const lines = results.flatMap((result) => linesOf(result))
  const titles = ['fault', 'Redis away, ms', 'subject', 'ok', 'resumed, ms', 'lost', 'told', 'doubled', 'errors']
  return `${[titles, titles.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}

/** Puts the parts of these topologies in the place of those that were there. */
export function writeOutagePage(results, seed) {
  const parts = existsSync(file) ? partsOf(readFileSync(file, 'utf8')) : new Map()
  for (const topology of new Set(results.map((result) => result.topology))) {
    const own = results.filter((result) => result.topology === topology)
    parts.set(topology, `${factsOf(own, seed)}\n${outageTable(own)}`)
  }
  writeFileSync(file, `${head}\n${[...parts].map(([topology, text]) => `## ${topology}\n\n${text}`).join('\n')}`)
}

function linesOf({ fault, senseless, failure, row }) {
  if (senseless !== undefined) return [[fault, '', `makes no sense: ${senseless}`, '', '', '', '', '', '']]
  if (failure !== undefined) return [[`**${fault}**`, '', '**the row ended with an error**', '', '', '', '', '', '']]
  return row.cells.map((cell, i) => [
    i === 0 ? fault : '',
    i === 0 ? row.redisAwayMs : '',
    cell.subject,
    cell.faults.length === 0 ? 'yes' : `**${cell.faults.join('; ')}**`,
    cell.resumedMs ?? '',
    cell.lost,
    cell.told,
    cell.doubled,
    Object.values(cell.failures).reduce((sum, count) => sum + count, 0),
  ])
}

function factsOf(results, seed) {
  const redis = results.find(({ row }) => row !== undefined)?.row.redisVersion ?? 'none'
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const ioredis = JSON.parse(readFileSync(join(root, 'packages/kit/node_modules/ioredis/package.json'), 'utf8')).version
  return `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${commit}, seed ${seed}; Redis ${redis}, ioredis ${ioredis}, Node ${process.versions.node}, ${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, Linux ${release()}.
`
}

function partsOf(text) {
  const [, ...parts] = text.split(/^## /m)
  return new Map(
    parts.map((part) => [
      part.slice(0, part.indexOf('\n')),
      part
        .slice(part.indexOf('\n') + 1)
        .trim()
        .concat('\n'),
    ]),
  )
}
