// Waiting for something that may not come.

/** Node's timers take at most so many ms, and fire at once beyond. */
export const longestTimerMs = 2 ** 31 - 1

const isOver = Symbol('over')

/** What `awaited` answers; what `instead` does (it may throw) if that takes longer than `ms`. Leaves no timer behind. */
export async function within<T>(ms: number, awaited: Promise<T>, instead: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<typeof isOver>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, longestTimerMs), isOver)
  })
  try {
    const first = await Promise.race([awaited, over])
    return first === isOver ? instead() : first
  } finally {
    clearTimeout(timer)
  }
}
