// The signals that stop the program: they only say what is wanted.

/** What the operator may want. */
export interface StopWish {
  /** End in order. */
  stop(): void
  /** End now. */
  force(): void
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

// One Ctrl-C may arrive twice: from the terminal, and passed on by npm, which got it from the terminal too.
const SAME_PRESS_MS = 500

/**
 * The first signal stops, a later one forces. Answers how to say that the end has come: a signal after that is
 * heard and means nothing, or it would kill a process that is about to exit with its code.
 */
export function onStopSignals(wish: StopWish): () => void {
  let firstAt: number | undefined
  let isOver = false
  const heard = () => {
    if (isOver) return
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      wish.stop()
    } else if (now - firstAt > SAME_PRESS_MS) wish.force()
  }
  for (const signal of SIGNALS) process.on(signal, heard)
  return () => {
    isOver = true
  }
}
