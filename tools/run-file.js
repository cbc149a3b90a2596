// Runs one compiled test file on one Node and answers its tests, whatever happens to the process.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './command.js'
import { root } from './root.js'

const reporter = new URL('test-reporter.js', import.meta.url).href
/** What the runner itself gets to tell which test hangs, before its whole process group is killed. */
const LAST_WORDS_MS = 5_000

/** Answers `{ tests: [{ titles, isPassed, ms, error }], output, ms }`; a file that broke off has a failed test more. */
export async function runFile(file, node, { timeoutMs, env }) {
  const folder = mkdtempSync(join(tmpdir(), 'ah-test-'))
  const destination = join(folder, 'results.jsonl')
  const args = [
    '--test',
    `--test-timeout=${timeoutMs - LAST_WORDS_MS}`,
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${destination}`,
    file,
  ]
  try {
    const ended = await run(node.path, args, { cwd: root, env, timeoutMs })
    const told = readTold(destination)
    const tests = told.filter(({ type }) => type === 'test')
    const output = told.filter(({ type }) => type === 'output').map(({ text }) => text)
    return { tests: [...tests, ...brokenOff(ended, tests)], output: output.join('') + ended.output, ms: ended.ms }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readTold(destination) {
  // A runner that died before its first test has written nothing.
  if (!existsSync(destination)) return []
  const lines = readFileSync(destination, 'utf8').split('\n')
  // The last line is empty, or was cut off by the kill.
  return lines.slice(0, -1).map((text) => JSON.parse(text))
}

/** What the tests themselves could not tell. */
function brokenOff({ code, isTimedOut, leftovers, ms }, tests) {
  const failed = (error) => [{ titles: ['(the whole file)'], isPassed: false, ms, error }]
  if (isTimedOut) return failed(`not done after ${Math.round(ms / 1000)} s: killed`)
  if (leftovers.length > 0) return failed(`processes were left behind and have been killed:\n${leftovers.join('\n')}`)
  if (tests.length === 0) return failed(`no test ran, the process ended with ${code}`)
  if (code !== 0 && tests.every(({ isPassed }) => isPassed)) return failed(`the process ended with ${code}`)
  return []
}
