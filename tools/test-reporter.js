// A node:test reporter for tools/test.js: one JSON line for each test that ended, with its whole title and its error.
import { inspect } from 'node:util'

export default async function* reporter(source) {
  const titles = []
  for await (const { type, data } of source) {
    if (type === 'test:start') titles[data.nesting] = data.name
    if (type === 'test:stderr' || type === 'test:stdout') yield line({ type: 'output', text: data.message })
    if (type === 'test:pass' || type === 'test:fail') {
      titles[data.nesting] = data.name
      const result = resultOf(type === 'test:pass', data)
      if (result !== undefined) yield line({ ...result, titles: titles.slice(0, data.nesting + 1) })
    }
  }
}

function resultOf(isPassed, { name, nesting, details, skip, todo }) {
  const ms = details.duration_ms
  const failed = (error) => ({ type: 'test', isPassed: false, ms, error })
  const isSuite = details.type === 'suite'
  if (!isPassed) {
    const { failureType } = details.error
    // A suite or a parent fails because of its tests, which have been told already; its own hooks have not.
    if (failureType === 'subtestsFailed') return isSuite ? undefined : failed('')
    return failed(inspect(details.error.cause ?? details.error, { depth: 6 }))
  }
  if (skip !== undefined || todo !== undefined) return failed('skipped: every test of this project has to run')
  if (isSuite) return undefined
  // The runner reports a file in which it found no test as one test with the name of the file.
  if (nesting === 0 && /\.test\.js$/.test(name)) {
    return failed('there is no test in this file')
  }
  return { type: 'test', isPassed: true, ms }
}

function line(value) {
  return `${JSON.stringify(value)}\n`
}
