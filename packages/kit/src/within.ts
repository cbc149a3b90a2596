// Waiting for something that may not come.

/** Node's timers take at most so many ms, and fire at once beyond. */
export const longestTimerMs = 2 ** 31 - 1

const isOver = Symbol('over')

/**
 * What `awaited` answers; what `instead` does (it may throw) if that takes longer than `ms`, or `signal` aborts before.
 * Leaves no timer and no listener behind.
 */
export async function within<T>(ms: number, awaited: Promise<T>, instead: () => T, signal?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let end = (): void => undefined
  const over = new Promise<typeof isOver>((resolve) => {
    end = () => resolve(isOver)
    timer = setTimeout(end, Math.min(ms, longestTimerMs))
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end)
  })
  try {
    const first = await Promise.race([awaited, over])
    return first === isOver ? instead() : first
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}
