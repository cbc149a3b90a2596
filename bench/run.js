// Runs the benchmarks that are named on the command line, or all: `npm run bench -- cache`.
// Exit code 1 when a target was missed, 2 when a name is unknown. `--smoke` only tries out whether all of it runs: one pair
// each, nothing is kept, and targets say nothing. `--only=<text>` measures only what has the text in its name.
// `--pages` measures nothing: it writes docs/benchmarks.md and the README's table anew from what is kept.
import { machineFacts, untilQuiet } from './harness/machine.js'
import { writePages } from './harness/page.js'
import { keepRun, printResult } from './harness/report.js'
import { Session } from './harness/session.js'

const benchmarks = ['cache', 'cluster', 'pubsub', 'rooms', 'tasks']

const isSmoke = process.argv.includes('--smoke')
const only = process.argv.find((word) => word.startsWith('--only='))?.slice('--only='.length)
const how = { ...(isSmoke ? { pairs: 1 } : {}), ...(only === undefined ? {} : { only }) }
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const unknown = wanted.filter((name) => !benchmarks.includes(name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${benchmarks.join(', ')}`)
  process.exit(2)
}

let session = new Session(printResult, how)
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await session.close()
    process.exit(130)
  })
}

if (process.argv.includes('--pages')) {
  writePages()
  process.exit(0)
}

for (const name of wanted.length > 0 ? wanted : benchmarks) {
  const { default: run } = await import(`./${name}.js`)
  const quiet = isSmoke ? 'only tried out' : await untilQuiet()
  const machine = machineFacts()
  console.log(
    `\n${name}: ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, Redis ${machine.redis}; ${quiet}`,
  )
  session = new Session(printResult, how)
  try {
    await run(session)
  } finally {
    await session.close()
  }
  if (session.results.length === 0) {
    console.error(`nothing in ${name} is called ${only}`)
    process.exitCode = 2
  }
  if (isSmoke || session.results.length === 0) continue
  await keepRun(name, machine, session.results)
  writePages()
  if (session.results.some(({ isReached }) => !isReached)) process.exitCode = 1
}
if (!isSmoke && process.exitCode !== 2)
  console.log(process.exitCode === 1 ? '\na target was missed' : '\nall targets were reached')
