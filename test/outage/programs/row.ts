// Runs one row, or lists all: `row.js <topology> <fault>` prints what it said as one line of JSON, `row.js` the matrix.
import { matrix } from '../matrix.ts'
import { runRow } from '../row.ts'

const endWithinMs = 20_000

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
    const patience = setTimeout(tellWhatStays, endWithinMs)
    for (const hook of hooks) await hook()
    // Closed apps leave nothing behind: the process ends by itself.
    patience.unref()
  }
}

function tellWhatStays(): void {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles(): { remotePort?: number }[] }
  const ports = _getActiveHandles.call(process).map(({ remotePort }) => remotePort)
  console.error(`the apps are not closed: ${process.getActiveResourcesInfo()}; sockets to ${ports}`)
  process.exit(1)
}
