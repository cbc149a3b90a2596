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

/** Node parses a channel's lines as JSON where nobody can catch it, and does not say whose channel it was. */
function isGarbledChannel(error: unknown): boolean {
  return error instanceof SyntaxError && /parseChannelMessages|node:internal\/child_process/.test(error.stack ?? '')
}
