// What we use of the faye package: its protocol server, its channel names, its errors. It has no types of its own.
declare module 'faye/src/protocol/server.js' {
  interface Extension {
    incoming(message: object, request: unknown, pass: (message: object) => void): void
    outgoing(message: object, request: unknown, pass: (message: object) => void): void
  }
  class Server {
    constructor(options: { timeout: number })
    /** Ours takes the place of the one in memory that it makes. */
    _engine: object
    addExtension(extension: Extension): void
    process(messages: readonly object[], request: unknown, reply: (replies: readonly object[]) => void): void
  }
  export = Server
}

declare module 'faye/src/protocol/channel.js' {
  const Channel: {
    isValid(name: string): boolean
    isMeta(name: string): boolean | null
    isSubscribable(name: string): boolean | null
  }
  export = Channel
}

declare module 'faye/src/protocol/grammar.js' {
  const Grammar: { readonly CHANNEL_NAME: RegExp }
  export = Grammar
}

declare module 'faye/src/protocol/error.js' {
  /** Each makes the text that a reply carries. */
  const BayeuxError: {
    badRequest(): string
    channelForbidden(channel: string): string
    channelInvalid(channel: string): string
    clientUnknown(clientId: string): string
    publishFailed(channel: string): string
    serverError(): string
  }
  export = BayeuxError
}
