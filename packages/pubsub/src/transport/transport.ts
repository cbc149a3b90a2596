// What pub/sub needs of the thing that carries bytes: a few calls and two callbacks. One contract suite holds for all.

/** Hears what comes. */
export interface TransportListener {
  /**
   * Bytes on a held name. For a pattern `channel` says where they were published, else it is the name. Never throws.
   */
  readonly onBytes: (name: string, channel: string, bytes: Buffer) => void
  /** These held names may have missed bytes; from now on they hear again. */
  readonly onGap: (names: readonly string[], reason: 'connection' | 'moved') => void
}

/** Carries texts to all who hold a channel, in one order for all of them. Names are those of Redis. */
export interface Transport {
  /**
   * Resolves when Redis has taken it, with how many connections listened where it was published. To be called again for a channel only after that, or a repeat after a cut would
   * come behind the next. Rejects when Redis is away (`AH_KIT_REDIS_DOWN`: surely not sent).
   */
  publish(channel: string, text: string): Promise<number>
  /** Resolves when Redis has confirmed that it sends us what is published there. A name with `*` is a pattern. */
  hold(name: string): Promise<void>
  /** Resolves when Redis has confirmed the opposite, or the connection that held it is gone. */
  release(name: string): Promise<void>
  /** True while all that should be held is held and proven to be heard, else the reason in words. */
  health(): true | string
  /** Ends within two seconds. Twice is fine. */
  close(): Promise<void>
}
