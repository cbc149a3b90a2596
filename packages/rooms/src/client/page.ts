// What the client takes from where it runs.
import type { ConnectOptions } from './types.ts'

/** A browser's page, or Node. */
export const page = globalThis as unknown as {
  location?: { href: string }
  addEventListener?: (type: string, listener: () => void, options: { signal: AbortSignal }) => void
  reportError?: (error: unknown) => void
  WebSocket: NonNullable<ConnectOptions['WebSocket']>
}

/** A listener's error is the page's business, and keeps nothing from the others. */
export function report(thrown: unknown): void {
  const tell = page.reportError ?? console.error
  tell(thrown)
}
