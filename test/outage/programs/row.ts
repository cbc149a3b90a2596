// Runs one row, or lists all: `row.js <topology> <fault>` prints what it said as one line of JSON, `row.js` the matrix.
import { matrix } from '../matrix.ts'
import { runRow } from '../row.ts'

const [topology, fault] = process.argv.slice(2)

if (topology === undefined) {
  console.log(JSON.stringify(matrix))
} else {
  const entry = matrix.find((one) => one.topology === topology && one.fault === fault)
  if (entry === undefined || entry.senseless !== undefined) throw new Error(`no such row: ${topology}, ${fault}`)
  const hooks: (() => unknown)[] = []
  try {
    const row = await runRow(entry.topology, entry.fault, { after: (hook) => void hooks.push(hook) })
    console.log(JSON.stringify(row))
  } finally {
    for (const hook of hooks) await hook()
  }
}
