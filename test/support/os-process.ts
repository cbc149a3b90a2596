// Owns one started process of the operating system: its output, its end, and that it never outlives the test.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { onProcessExit } from './exit-hook.ts'
import { until } from './until.ts'

/** How a process ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface OsProcessOptions extends SpawnOptions {
  /**
   * What it gets when the test process ends without having stopped it. Default SIGKILL. Where util-linux is installed the
   * kernel sees to it, so that it holds for a test process that is killed as well.
   */
  orphanSignal?: 'SIGKILL' | 'SIGTERM'
}

const SETPRIV = '/usr/bin/setpriv'
// Grandchildren may hold the pipes open for ever; what the process itself wrote has arrived long before.
const LAST_OUTPUT_MS = 250

export class OsProcess {
  readonly child: ChildProcess
  /** Settles once the process has ended and its output has arrived. Never rejects. */
  readonly exited: Promise<Exit>
  #stdout = ''
  #stderr = ''
  #lines: string[] = []
  #partial = { stdout: '', stderr: '' }
  #exit: Exit | undefined

  constructor(command: string, args: string[], options: OsProcessOptions = {}) {
    const { orphanSignal = 'SIGKILL', ...spawnOptions } = options
    this.child = existsSync(SETPRIV)
      ? spawn(SETPRIV, ['--pdeathsig', orphanSignal.slice(3), '--', command, ...args], spawnOptions)
      : spawn(command, args, spawnOptions)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#collect('stdout', text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#collect('stderr', text))
    const forget = onProcessExit(() => this.signal(orphanSignal))
    this.exited = this.#watch().finally(forget)
  }

  get pid(): number {
    return this.child.pid ?? Number.NaN
  }

  get hasExited(): boolean {
    return this.#exit !== undefined
  }

  stdout(): string {
    return this.#stdout
  }

  stderr(): string {
    return this.#stderr
  }

  /** All complete lines of both streams in the order in which they arrived. */
  lines(): readonly string[] {
    return this.#lines
  }

  /** Waits for a line of stdout or stderr that matches; lines that came before count. */
  async waitForLine(pattern: RegExp, deadlineMs = 10_000): Promise<RegExpMatchArray> {
    const look = () => {
      for (const line of this.#lines) {
        const match = line.match(pattern)
        if (match) return { match }
      }
      return this.#exit
    }
    const found = await until(look, { deadlineMs, what: `a line that matches ${pattern}` }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.#report()}`, { cause: error })
    })
    if ('match' in found) return found.match
    throw new Error(`No line matched ${pattern} before the process ended\n${this.#report()}`)
  }

  /** Signals the process, if it still runs: its pid may belong to another afterwards. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#exit && this.child.pid !== undefined) this.child.kill(signal)
  }

  /** Asks it to end with `signal`, after `graceMs` kills it, and waits for the end. */
  async terminate(signal: NodeJS.Signals = 'SIGTERM', graceMs = 5_000): Promise<Exit> {
    this.signal(signal)
    // A stopped process handles no signal before it is continued.
    this.signal('SIGCONT')
    const patience = new AbortController()
    const force = sleep(graceMs, undefined, { signal: patience.signal }).then(
      () => this.signal('SIGKILL'),
      (error: Error) => {
        if (error.name !== 'AbortError') throw error
      },
    )
    const exit = await this.exited
    patience.abort()
    await force
    return exit
  }

  #watch(): Promise<Exit> {
    return new Promise((resolve) => {
      const end = (exit: Exit) => {
        this.#exit = exit
        const patience = setTimeout(() => resolve(exit), LAST_OUTPUT_MS)
        this.child.once('close', () => {
          clearTimeout(patience)
          resolve(exit)
        })
      }
      this.child.once('exit', (code, signal) => end({ code, signal }))
      this.child.on('error', (error) => {
        this.#collect('stderr', `${String(error)}\n`)
        // There is no such program: told as a shell tells it.
        if (this.child.pid === undefined) end({ code: 127, signal: null })
      })
    })
  }

  #collect(stream: 'stdout' | 'stderr', text: string): void {
    if (stream === 'stdout') this.#stdout += text
    else this.#stderr += text
    const lines = (this.#partial[stream] + text).split('\n')
    this.#partial[stream] = lines.pop()!
    this.#lines.push(...lines)
  }

  #report(): string {
    const end = this.#exit ? `ended with ${JSON.stringify(this.#exit)}` : 'still runs'
    return `process ${this.child.spawnargs.join(' ')} ${end}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`
  }
}
