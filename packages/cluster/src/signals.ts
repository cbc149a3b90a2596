// The signals of the program: they only say what is wanted.

/** What the operator may want. */
export interface StopWish {
  /** End in order. */
  stop(): void
  /** End now. */
  force(): void
}

const KILL_SIGNALS = ['SIGTERM', 'SIGINT'] as const
const STOP_SIGNALS = [...KILL_SIGNALS, 'SIGHUP'] as const

// One Ctrl-C may arrive twice: from the terminal, and passed on by npm, which got it from the terminal too.
const SAME_PRESS_MS = 500

/**
 * The first signal stops, a later one forces. Answers how to say that the end has come: a signal after that is
 * heard and means nothing, or it would kill a process that is about to exit with its code.
 */
export function onStopSignals(wish: StopWish, signals: readonly NodeJS.Signals[] = STOP_SIGNALS): () => void {
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
  for (const signal of signals) process.on(signal, heard)
  return () => {
    isOver = true
  }
}

/** What the operator of a cluster may want besides. */
export interface ManagerWish {
  stop(): void
  kill(): void
  reload(): unknown
  restart(): void
  scale(change: { readonly by: number }): unknown
}

/**
 * The signals of ActionHero's cluster: USR2 reloads, HUP restarts, TTIN and TTOU change the number of workers. A
 * terminal that is closed sends HUP: there it stops. Answers how to say that the end has come.
 */
export function onManagerSignals(wish: ManagerWish, { isTerminal }: { readonly isTerminal: boolean }): () => void {
  process.on('SIGUSR2', () => wish.reload())
  process.on('SIGTTIN', () => wish.scale({ by: 1 }))
  process.on('SIGTTOU', () => wish.scale({ by: -1 }))
  if (!isTerminal) process.on('SIGHUP', () => wish.restart())
  return onStopSignals({ stop: () => wish.stop(), force: () => wish.kill() }, isTerminal ? STOP_SIGNALS : KILL_SIGNALS)
}
