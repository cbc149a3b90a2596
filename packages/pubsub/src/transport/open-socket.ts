// What is asked on a socket ends with the socket: ioredis leaves such questions open for ever.

/** The socket that is there now; {@link renew} when it is gone. */
export class OpenSocket {
  #hangUp = new AbortController()

  /** Aborted when the socket of now is gone. */
  get signal(): AbortSignal {
    return this.#hangUp.signal
  }

  /** It is gone. What was asked on it rejects. */
  renew(): void {
    this.#hangUp.abort()
    this.#hangUp = new AbortController()
  }

  /** What is asked, or a rejection as soon as the socket is gone. */
  while<T>(ask: () => Promise<T>): Promise<T> {
    const { signal } = this
    return new Promise<T>((resolve, reject) => {
      const end = (): void => reject(new Error('the connection was closed'))
      signal.addEventListener('abort', end, { once: true })
      ask()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', end))
    })
  }
}
