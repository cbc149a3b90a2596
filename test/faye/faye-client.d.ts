// What the tests use of faye's client. The package has no types of its own.
declare module 'faye' {
  interface Outcome<T = void> {
    then<A, B>(done: (value: T) => A, failed: (error: { code: number; message: string }) => B): Promise<A | B>
  }
  interface Subscription extends Outcome {
    cancel(): void
  }
  interface Extension {
    outgoing?(message: Record<string, unknown>, pass: (message: object) => void): void
    incoming?(message: Record<string, unknown>, pass: (message: object) => void): void
  }
  /** Decides whether a message is tried again. */
  class Scheduler {
    isDeliverable(): boolean
  }
  class Client {
    constructor(
      url: string,
      options?: { timeout?: number; retry?: number; interval?: number; scheduler?: typeof Scheduler },
    )
    subscribe(channel: string, handler: (data: unknown) => void): Subscription
    subscribe(channels: readonly string[], handler: (data: unknown) => void): Subscription
    publish(channel: string, data: unknown): Outcome
    connect(done: () => void): void
    disconnect(): Outcome | undefined
    disable(transport: string): void
    setHeader(name: string, value: string): void
    addExtension(extension: Extension): void
    on(event: 'transport:up' | 'transport:down', listener: () => void): void
  }
  const faye: { Client: typeof Client; Scheduler: typeof Scheduler }

  export type { Client }
  export default faye
}
