// docs/test-full.md: what the full-scale run of the fault items said, when, and on which machine.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { root } from './root.js'

/** A title that begins with the number of a fault, or with several: `[14] …`, `[46a] …`, `[16, 17] …`, `[1] [2] …`. */
const FAULT = /^\[(\d+[a-z]?(?:(?:, ?|\] ?\[)\d+[a-z]?)*)\] (.+)$/

/** Writes the table of all tests whose title names a fault; `results` are `{ node, tests }` of every run file. */
export function writeFullReport({ seed, scale, results, passed, failed }) {
  const rows = results
    .flatMap(({ node, tests }) => tests.flatMap((test) => rowOf(node, test)))
    .sort((a, b) => a.order - b.order || a.number.localeCompare(b.number) || a.title.localeCompare(b.title))
  const text = `# The fault items at full scale

Written by \`npm run test:full\`. The numbers are those of the list of faults in \`docs/testing.md\`; the tests of an item carry its number in their title.

| | |
|---|---|
| date | ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC |
| seed | ${seed} (\`AH_TEST_SEED\`) |
| scale | ${scale} (\`AH_TEST_SCALE\`) |
| commit | ${commit()} |
| machine | ${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()} |
| all tests | ${passed} passed, ${failed} failed |

| item | what | on | scale | result | seconds |
|---|---|---|---|---|---|
${rows.map((row) => `| ${row.number} | ${row.title} | ${row.node} | ${scale} | ${row.result} | ${row.seconds} |\n`).join('')}`
  const file = join(root, 'docs/test-full.md')
  writeFileSync(file, text)
}

function rowOf(node, { titles, isPassed, ms }) {
  const [, number, title] = FAULT.exec(titles.at(-1)) ?? []
  if (number === undefined) return []
  return [
    {
      number: number.replaceAll(/\] ?\[/g, ', '),
      order: Number.parseInt(number, 10),
      title: title.replaceAll('|', '\\|'),
      node: node.name,
      result: isPassed ? 'passed' : '**failed**',
      seconds: (ms / 1000).toFixed(1),
    },
  ]
}

function commit() {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
}
