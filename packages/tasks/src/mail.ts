// Owns what a process is told by mail, and who here wants to know.

export class Mail {
  #onCancel: (id: string) => void = nobody
  #onPromote: () => void = nobody

  /** A job is not to run. */
  onCancel(listener: (id: string) => void): void {
    this.#onCancel = listener
  }

  /** Something is due earlier than what the scheduler sleeps for. */
  onPromote(listener: () => void): void {
    this.#onPromote = listener
  }

  /** Takes a letter; one that a newer release wrote is none of ours. */
  readonly deliver = (text: string): void => {
    if (text.startsWith('cancel ')) this.#onCancel(text.slice('cancel '.length))
    else if (text === 'promote') this.#onPromote()
  }
}

function nobody(): void {}
