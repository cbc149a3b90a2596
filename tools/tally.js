// Counts what passed and failed, prints a line for each step, and at the end every failure in full.

export class Tally {
  passed = 0
  failed = 0
  #failures = []
  #total
  #done = 0

  constructor(total) {
    this.#total = total
  }

  /** Adds a step of one or more tests: `{ title, ms, tests: [{ titles, isPassed, error }], output }`. */
  add({ title, ms, tests, output }) {
    const failed = tests.filter(({ isPassed }) => !isPassed)
    this.passed += tests.length - failed.length
    this.failed += failed.length
    this.#done += 1
    if (failed.length > 0) this.#failures.push({ title, failed, output })
    const counts = failed.length > 0 ? `${failed.length} of ${tests.length} FAILED` : `${tests.length} passed`
    const place = `${String(this.#done).padStart(String(this.#total).length)}/${this.#total}`
    console.log(`${place} ${failed.length > 0 ? 'FAIL' : 'ok  '} ${title}: ${counts}, ${(ms / 1000).toFixed(1)} s`)
  }

  /** Prints the failures; the very last line is `N passed, N failed`. Answers the exit code. */
  close() {
    for (const { title, failed, output } of this.#failures) {
      for (const { titles, error } of failed) {
        if (error !== '') console.log(`\n──── ${title}\n     ${titles.join(' › ')}\n${error}`)
      }
      if (output.trim() !== '') console.log(`\n──── output of ${title}\n${output.trim()}`)
    }
    console.log(`\n${this.passed} passed, ${this.failed} failed`)
    return this.failed === 0 && this.passed > 0 ? 0 : 1
  }
}
