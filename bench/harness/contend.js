// The child's side of a contender: runs one operation by N callers for a time, when the parent says so.

/**
 * Makes this process a contender. `open` answers `{ operations: { name: async (index) => … }, measures, close }`; an
 * operation is given an ascending number to choose its key by. What is no rate is measured by the contender itself:
 * `measures: { name: async (ms) => number }`.
 */
export async function contend(open) {
  const { operations = {}, measures = {}, close } = await open()
  process.on('message', async (order) => {
    if (order === 'close') {
      await close()
      process.disconnect()
      return
    }
    try {
      const { operation, callers, ms } = order
      const measure = measures[operation]
      process.send({ rate: await (measure ? measure(ms) : rateOf(operations[operation], callers, ms)) })
    } catch (error) {
      process.send({ error: error.stack ?? String(error) })
    }
  })
  // Also when the parent was killed: nobody else would end this process then.
  process.once('disconnect', () => process.exit())
  process.send('ready')
}

/** Operations per second: every caller awaits its operation before it begins the next. */
async function rateOf(operation, callers, ms) {
  const start = performance.now()
  const end = start + ms
  let count = 0
  const caller = async (first) => {
    for (let index = first; performance.now() < end; index += callers) {
      await operation(index)
      count += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, first) => caller(first)))
  return (count / (performance.now() - start)) * 1000
}
