// `npm test`: from a machine with only Node and npm to "N passed, N failed". Needs nothing installed to begin with.
//   --full            every fault at the scale of its list, and docs/test-full.md with the results
//   --only <folder>   the tests of test/<folder> alone, without the checks; installs nothing that is there
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checks } from './checks.js'
import { installPrograms } from './debian.js'
import { writeFullReport } from './full-report.js'
import { pnpm } from './pnpm.js'
import { root } from './root.js'
import { runFile } from './run-file.js'
import { inLanes, runsOf } from './suites.js'
import { Tally } from './tally.js'

const { full, only } = parseArgs({ options: { full: { type: 'boolean' }, only: { type: 'string' } } }).values
const scale = full ? '1' : (process.env.AH_TEST_SCALE ?? '0.05')
const seed = process.env.AH_TEST_SEED ?? String((Date.now() & 0x7fffffff) + 1)
const timeoutMs = (full ? 60 : 5) * 60_000
const begin = Date.now()

await prepare()
const runs = runsOf(only)
if (only !== undefined && runs.length === 0) stop(`there is no test in test/${only}`)
const reading = only === undefined ? checks() : []
const tally = new Tally(reading.length + runs.length)
console.log(`${runs.length} test files and ${reading.length} checks; AH_TEST_SEED=${seed} AH_TEST_SCALE=${scale}`)

await inLanes(
  reading.map((check) => ({ ...check, isAlone: false })),
  async ({ title, run }) => {
    const { code, output, ms } = await run()
    tally.add({ title, ms, output, tests: [{ titles: [title], isPassed: code === 0, error: `ended with ${code}` }] })
  },
)

const results = []
await inLanes(runs, async ({ file, node }) => {
  const env = { AH_TEST_SCALE: scale, AH_TEST_SEED: seed }
  const result = await runFile(file, node, { timeoutMs, env })
  results.push({ node, tests: result.tests })
  tally.add({ title: `${file.replace('/dist/', '/')} (${node.name})`, ...result })
})

if (full && only === undefined) writeFullReport({ seed, scale, results, passed: tally.passed, failed: tally.failed })
console.log(`\n${Math.round((Date.now() - begin) / 1000)} s in all`)
process.exitCode = tally.close()

/** Programs, packages, build. Without them there is nothing to test, so any failure here is the end. */
async function prepare() {
  const isInstalled = existsSync(join(root, 'node_modules/.modules.yaml'))
  if (only === undefined || !isInstalled) {
    await step('programs', () => installPrograms(console.log))
    await step('pnpm install', () => succeed(pnpm('install', '--frozen-lockfile')))
  }
  await step('build', () =>
    succeed(pnpm('exec', 'turbo', 'run', 'build', '--concurrency=2', '--output-logs=errors-only')),
  )
}

async function step(title, work) {
  const start = performance.now()
  try {
    await work()
  } catch (error) {
    stop(`${title}: ${error.message}`)
  }
  console.log(`${title}: done, ${((performance.now() - start) / 1000).toFixed(1)} s`)
}

async function succeed(running) {
  const { code, output } = await running
  if (code !== 0) throw new Error(`ended with ${code}\n${output}`)
}

function stop(message) {
  console.log(`${message}\n\n0 passed, 1 failed`)
  process.exit(1)
}
