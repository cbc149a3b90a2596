// What happens in the primary that nobody caught: one kind is a worker's doing and harmless, all else ends it in order.

/** Who hears of it. */
export interface GuardListener {
  /** A worker wrote something into its channel that Node could not read. */
  channelGarbled(): void
  /** The primary itself failed. */
  failed(error: Error): void
}

/** Listens until the process ends. */
export function guardPrimary(listener: GuardListener): void {
  process.on('uncaughtException', (error) => {
    if (isGarbledChannel(error)) listener.channelGarbled()
    else listener.failed(error)
  })
}

/**
 * For a primary that is somebody's program: only a garbled channel is caught. All else ends it as Node would, unless the
 * program listens itself. Answers how to stop listening.
 */
export function guardProgram(onGarbled: () => void): () => void {
  const heard = (error: unknown) => {
    if (isGarbledChannel(error)) onGarbled()
    else if (process.listenerCount('uncaughtException') === 1) {
      console.error(error)
      process.exit(1)
    }
  }
  process.on('uncaughtException', heard)
  return () => process.off('uncaughtException', heard)
}

/** Node parses a channel's lines as JSON where nobody can catch it, and does not say whose channel it was. */
function isGarbledChannel(error: unknown): boolean {
  return error instanceof SyntaxError && /parseChannelMessages|node:internal\/child_process/.test(error.stack ?? '')
}
