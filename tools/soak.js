// `npm run soak`: the production topology for ten minutes: nginx, two web workers and a task worker on Sentinel, under HTTP,
// chat, tasks and cache, with reloads, kills and a failover; what came out as a table.
//   --minutes 4   shorter or longer; six tenths of it with troubles, then load alone, to see what grows
import { parseArgs } from 'node:util'
import { run } from './command.js'
import { pnpm } from './pnpm.js'
import { root } from './root.js'

const { minutes } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } }).values
const ms = Number(minutes) * 60_000
if (!(ms > 0)) throw new Error(`--minutes: expected a number above 0, got ${minutes}`)
/** More of what workers had when the troubles were over: heaps settle for a while, a leak does not end. */
const growthLimit = 1.25

await succeed(pnpm('install', '--frozen-lockfile'))
await succeed(
  pnpm(
    'exec',
    'turbo',
    'run',
    'build',
    '--filter',
    'fastify-ah-test-together...',
    '--filter',
    'fastify-ah...',
    '--output-logs=errors-only',
  ),
)
const args = ['test/together/dist/programs/soak.js', ms * 0.6, ms * 0.4].map(String)
const { output } = await succeed(run(process.execPath, args, { cwd: root, timeoutMs: ms + 180_000 }))
const { answered, failed, ofKilled, refused, tasks, chat, troubles, memory } = JSON.parse(
  output.split('\n').findLast((line) => line.startsWith('{"answered"')),
)

const growth = (values) => values.at(-1) / values[0]
const counts = {}
for (const { what } of troubles) counts[what] = (counts[what] ?? 0) + 1
const rows = [
  ['minutes', minutes, true],
  ['troubles', listed(counts), true],
  ['HTTP requests answered', answered, answered > 0],
  ['… failed', failed.length, failed.length === 0],
  ['… failed in the hands of a killed worker', ofKilled, true],
  ['… told by a coded 503 during the failover', listed(refused), true],
  ['tasks acknowledged', tasks.acknowledged, tasks.acknowledged > 0],
  ['… lost', tasks.lost, tasks.lost === 0],
  ['… run again', tasks.again, true],
  ['messages said, heard', `${chat.said}, ${chat.heard}`, chat.said > 0],
  ['… lost, told as a gap, doubled', `${chat.lost}, ${chat.told}, ${chat.doubled}`, chat.lost + chat.doubled === 0],
  ['… not said (the sender was told)', chat.failedSays, true],
  ['websockets that connected again', chat.reconnects, true],
  ['primary, MB, after the troubles and at the end', memory.primary.join(' → '), growth(memory.primary) < growthLimit],
  ['three workers together, MB', memory.workers.join(' → '), growth(memory.workers) < growthLimit],
]
const width = Math.max(...rows.map(([title]) => title.length))
for (const [title, value, isFine] of rows)
  console.log(`${title.padEnd(width)}  ${value}${isFine ? '' : '   NOT AS PROMISED'}`)
for (const one of failed.slice(0, 20)) console.log(JSON.stringify(one))
process.exitCode = rows.every(([, , isFine]) => isFine) ? 0 : 1

function listed(numbers) {
  return (
    Object.entries(numbers)
      .map(([name, count]) => `${count} × ${name}`)
      .join(', ') || 'none'
  )
}

async function succeed(running) {
  const ended = await running
  if (ended.code !== 0) throw new Error(`ended with ${ended.code}\n${ended.output}`)
  return ended
}
