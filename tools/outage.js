// `npm run outage`: every topology with every fault under all plugins at once, as a table; the whole goes to docs/outage.md.
//   --topology "Sentinel"   this one alone: its part of the page is written anew
//   --fault killed          this one alone: printed, not written
import { parseArgs } from 'node:util'
import { run } from './command.js'
import { outageTable, writeOutagePage } from './outage-page.js'
import { pnpm } from './pnpm.js'
import { root } from './root.js'

const program = 'test/outage/dist/programs/row.js'
const rowWithinMs = 240_000

const { topology, fault } = parseArgs({ options: { topology: { type: 'string' }, fault: { type: 'string' } } }).values
const seed = process.env.AH_TEST_SEED ?? String((Date.now() & 0x7fffffff) + 1)

await succeed(pnpm('install', '--frozen-lockfile'))
await succeed(
  pnpm('exec', 'turbo', 'run', 'build', '--filter', 'fastify-ah-test-outage...', '--output-logs=errors-only'),
)

const { output } = await succeed(row())
const matrix = JSON.parse(lastLine(output)).filter(
  (entry) => (topology ?? entry.topology) === entry.topology && (fault ?? entry.fault) === entry.fault,
)
if (matrix.length === 0) throw new Error('there is no such topology or fault')

const results = []
for (const entry of matrix) {
  if (entry.senseless !== undefined) {
    results.push(entry)
    continue
  }
  const { code, output } = await row(entry.topology, entry.fault)
  results.push(
    code === 0 ? { ...entry, row: JSON.parse(lastLine(output)) } : { ...entry, failure: output.slice(-2_000) },
  )
  console.log(outageTable(results.slice(-1)))
}

if (fault === undefined) writeOutagePage(results, seed)
const broken = results.filter(
  ({ row, failure }) => failure !== undefined || row?.cells.some(({ faults }) => faults.length > 0),
)
for (const { topology, fault, failure } of broken)
  console.log(`not as promised: ${topology}, ${fault} ${failure ?? ''}`)
console.log(
  `${results.filter(({ senseless }) => senseless === undefined).length - broken.length} rows as promised, ${broken.length} not; AH_TEST_SEED=${seed}`,
)
process.exitCode = broken.length === 0 ? 0 : 1

function row(...words) {
  const env = { AH_TEST_SCALE: '1', AH_TEST_SEED: seed }
  return run(process.execPath, [program, ...words], { cwd: root, env, timeoutMs: rowWithinMs })
}

async function succeed(running) {
  const ended = await running
  if (ended.code !== 0) throw new Error(`ended with ${ended.code}\n${ended.output}`)
  return ended
}

/** What a row has to say is its last line that is JSON. */
function lastLine(output) {
  return output.split('\n').findLast((line) => /^[[{]/.test(line))
}
