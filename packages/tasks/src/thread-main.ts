// The body of a thread: loads the module of a task and runs it, with a signal and progress that reach across.
import type { ThreadContext } from './hook-types.ts'
import type { FromThread, ThreadTask, ToThread } from './thread-protocol.ts'

type Run = (inputs: unknown, context: ThreadContext) => unknown

/** What piscina calls. Rejects with what the module's function threw. */
export default async function runInThread({ file, inputs, job, port }: ThreadTask): Promise<unknown> {
  const controller = new AbortController()
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  let last = 0
  port.on('message', (said: ToThread) => {
    if (said.kind === 'abort') {
      controller.abort(said.reason)
      return
    }
    const asked = waiting.get(said.number)
    waiting.delete(said.number)
    if (said.error === undefined) asked?.resolve()
    else asked?.reject(said.error)
  })
  const progress = (value: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      last += 1
      // Throws here for what cannot be cloned.
      port.postMessage({ kind: 'progress', number: last, value } satisfies FromThread)
      waiting.set(last, { resolve, reject })
    })
  try {
    const run = runOf(await import(file))
    if (run === undefined) throw new TypeError(`${file} exports no function by default`)
    return await run(inputs, { ...job, signal: controller.signal, progress })
  } finally {
    port.close()
  }
}

/** CommonJS has its default export behind another one. */
function runOf(module: { default?: unknown }): Run | undefined {
  const found = module.default
  if (typeof found === 'function') return found as Run
  const inner = (found as { default?: unknown } | undefined)?.default
  return typeof inner === 'function' ? (inner as Run) : undefined
}
