// The parent's side of a contender: a process of its own, so that one side's heap and compiled code never touch the other's.
import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Starts `bench/contenders/<file>` and waits until it is connected and warm enough to be asked. */
export async function startContender(file, env) {
  const child = fork(new URL(`../contenders/${file}`, import.meta.url), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const answer = async () => {
    const [said] = await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => [{ error: `ended with ${code}` }]),
    ])
    if (said.error !== undefined) throw new Error(`contender ${file}: ${said.error}`)
    return said
  }
  try {
    await answer()
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    /** Operations per second of `operation`, by `callers` at once, over `ms`. */
    async rate(operation, { callers, ms }) {
      child.send({ operation, callers, ms })
      return (await answer()).rate
    },
    /** What the contender itself measures over `ms`. */
    async measure(name, ms) {
      child.send({ operation: name, ms })
      return (await answer()).rate
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.send('close')
      const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(force)
    },
  }
}
