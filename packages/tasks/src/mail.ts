// Owns what a process is told by mail, and who here wants to know.

export class Mail {
  #onCancel: (id: string) => void = nobody
  #onPromote: () => void = nobody
  #onJob: (claim: number, marked: string) => void = nobody

  /** A job is not to run. */
  onCancel(listener: (id: string) => void): void {
    this.#onCancel = listener
  }

  /** Something is due earlier than what the scheduler sleeps for. */
  onPromote(listener: () => void): void {
    this.#onPromote = listener
  }

  /** A job was handed to this process: its claim, mark and payload. */
  onJob(listener: (claim: number, marked: string) => void): void {
    this.#onJob = listener
  }

  /** Takes a letter; one that a newer release wrote is none of ours. */
  readonly deliver = (text: string): void => {
    if (text.startsWith('job ')) this.#deliverJob(text.slice('job '.length))
    else if (text.startsWith('cancel ')) this.#onCancel(text.slice('cancel '.length))
    else if (text === 'promote') this.#onPromote()
  }

  #deliverJob(text: string): void {
    const end = text.indexOf(' ')
    this.#onJob(Number(text.slice(0, end)), text.slice(end + 1))
  }
}

function nobody(): void {}
