// Owns holding things back: whoever awaits the passage waits while the gate is shut.
export class Gate {
  #passage = Promise.resolve()
  #release: (() => void) | undefined

  get passage(): Promise<void> {
    return this.#passage
  }

  shut(): void {
    if (this.#release) return
    this.#passage = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  open(): void {
    this.#release?.()
    this.#release = undefined
  }
}
