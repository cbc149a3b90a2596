// Owns what must still happen when the test process ends without having stopped its things: a failed import, a time limit.

const pending = new Set<() => void>()
// The runner terminates a test file at its time limit; without a listener that would end it without an 'exit' event.
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** Runs `action`, synchronously, when this process exits or is terminated. The answer takes it back. */
export function onProcessExit(action: () => void): () => void {
  if (pending.size === 0) listen()
  pending.add(action)
  return () => {
    pending.delete(action)
    if (pending.size === 0) unlisten()
  }
}

function listen(): void {
  process.on('exit', runAll)
  for (const signal of SIGNALS) process.on(signal, endBy)
}

function unlisten(): void {
  process.off('exit', runAll)
  for (const signal of SIGNALS) process.off(signal, endBy)
}

function runAll(): void {
  for (const action of pending) action()
}

function endBy(signal: NodeJS.Signals): void {
  runAll()
  unlisten()
  // As it would have ended without us; a listener of somebody else means that it is not to end.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}
