// Owns Node processes under test: started with the watch for unhandled errors, and gone, grandchildren too, after the test.
import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onProcessExit } from './exit-hook.ts'
import { type Exit, OsProcess } from './os-process.ts'
import { processesWithEnv, processTree } from './process-tree.ts'
import { seed } from './scale.ts'
import { atEnd, type TestScope } from './scope.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { readUnhandled, UNHANDLED_DIR } from './unhandled-log.ts'
import { until } from './until.ts'

/** How the process is started. */
export interface SpawnNodeOptions {
  /** Arguments after the file. */
  args?: readonly string[]
  /** Added to this process's environment; `undefined` takes a variable away. See {@link spawnNode}. */
  env?: Record<string, string | undefined>
  /** The node binary. Default: the running one. See `nodes()`. */
  node?: string
  /** Arguments before the file. */
  execArgv?: readonly string[]
  /** Default: this process's folder. */
  cwd?: string
  /** Opens an IPC channel: `child.send`, `child.on('message')`. */
  ipc?: boolean
  /** User and group that it runs as, when the tests run as root. */
  uid?: number
  gid?: number
  /**
   * What the end of the test does about unhandled errors in this process and its descendants: `forbidden` (default) fails
   * the test, `counted` leaves it to the test to look at {@link SpawnedNode.unhandled}.
   */
  unhandledErrors?: 'forbidden' | 'counted'
}

/** A started Node process. */
export interface SpawnedNode {
  readonly pid: number
  readonly child: ChildProcess
  /** The folder for temporary files (`TMPDIR`) of it and its descendants, its own and empty at the start. */
  readonly tmpDir: string
  /** Settles when it has ended and its output has arrived. */
  readonly exited: Promise<Exit>
  /** All that it (and descendants that share its streams) wrote. */
  stdout(): string
  stderr(): string
  /** All complete lines of both streams in the order in which they arrived. */
  lines(): readonly string[]
  /** Waits for a line of stdout or stderr, past or future. Rejects at the deadline (10 s) and when the process ends. */
  waitForLine(pattern: RegExp, deadlineMs?: number): Promise<RegExpMatchArray>
  /** Sends a signal (default SIGTERM) if it still runs; see {@link exited}. */
  kill(signal?: NodeJS.Signals): void
  /** The pids of the living descendants, Node processes whose parent died included. */
  descendants(): number[]
  /** Unhandled rejections and uncaught exceptions of it and all its descendants so far, with their stacks. */
  unhandled(): Promise<string[]>
  /** Throws if there were any. */
  assertNothingUnhandled(): Promise<void>
  /** Kills it and its descendants, checks {@link assertNothingUnhandled}. Done at the end of the test. Twice is fine. */
  dispose(): Promise<void>
}

const PRELOAD = new URL('./preload.js', import.meta.url).href
// A test says what its child gets; these would change it behind the test's back.
const NOT_INHERITED = /^(NODE_TEST_CONTEXT|NODE_OPTIONS|REDIS_URL|PORT|PROJECT_ROOT|(FASTIFY_AH|ACTIONHERO|ENABLE)_.*)$/

/**
 * Starts `file` (path or file URL). Its environment is this process's, without the variables that our programs read, with
 * `AH_TEST_SEED`, and with the preload in `NODE_OPTIONS`, so that forked workers are watched too. At the end of the test
 * it and its descendants are killed.
 */
export function spawnNode(file: string | URL, options: SpawnNodeOptions = {}, scope?: TestScope): SpawnedNode {
  const spawned = new OwnedNode(file, options)
  atEnd(scope, () => spawned.dispose())
  return spawned
}

/** A process that ran to its end. */
export interface FinishedNode {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** {@link spawnNode} to the end; rejects if anything in it went unhandled. */
export async function runNode(
  file: string | URL,
  options: SpawnNodeOptions = {},
  scope?: TestScope,
): Promise<FinishedNode> {
  const child = spawnNode(file, options, scope)
  const { code } = await child.exited
  await child.assertNothingUnhandled()
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

class OwnedNode implements SpawnedNode {
  readonly exited: Promise<Exit>
  readonly #process: OsProcess
  readonly #folder: TempDir
  readonly #mayHaveUnhandled: boolean
  readonly #forgetExit: () => void
  #isDisposed = false

  constructor(file: string | URL, options: SpawnNodeOptions) {
    const { args = [], env = {}, node = process.execPath, execArgv = [], cwd, ipc = false, uid, gid } = options
    this.#mayHaveUnhandled = options.unhandledErrors === 'counted'
    this.#folder = tempDir()
    // The child may run as another user.
    chmodSync(this.#folder.path, 0o755)
    for (const dir of [this.tmpDir, this.#unhandledDir]) {
      mkdirSync(dir)
      chmodSync(dir, 0o1777)
    }
    const path = String(file).startsWith('file:') ? fileURLToPath(file) : String(file)
    this.#process = new OsProcess(node, [...execArgv, path, ...args], {
      env: this.#environment(env),
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    })
    this.exited = this.#process.exited
    this.#forgetExit = onProcessExit(() => this.#killDescendants())
  }

  get pid(): number {
    return this.#process.pid
  }

  get child(): ChildProcess {
    return this.#process.child
  }

  get tmpDir(): string {
    return join(this.#folder.path, 'tmp')
  }

  get #unhandledDir(): string {
    return join(this.#folder.path, 'unhandled')
  }

  stdout(): string {
    return this.#process.stdout()
  }

  stderr(): string {
    return this.#process.stderr()
  }

  lines(): readonly string[] {
    return this.#process.lines()
  }

  waitForLine(pattern: RegExp, deadlineMs?: number): Promise<RegExpMatchArray> {
    return this.#process.waitForLine(pattern, deadlineMs)
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#process.signal(signal)
  }

  descendants(): number[] {
    const marked = processesWithEnv(UNHANDLED_DIR, this.#unhandledDir)
    const tree = this.#process.hasExited ? [] : processTree(this.pid)
    return [...new Set([...tree, ...marked])].filter((pid) => pid !== this.pid)
  }

  unhandled(): Promise<string[]> {
    return readUnhandled(this.#unhandledDir)
  }

  async assertNothingUnhandled(): Promise<void> {
    const errors = await this.unhandled()
    if (errors.length > 0) throw new Error(`${errors.length} unhandled in ${this.pid}:\n${errors.join('\n')}`)
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#process.terminate('SIGKILL')
    await until(() => this.#killDescendants() === 0, { what: `the descendants of ${this.pid} are gone` })
    try {
      if (!this.#mayHaveUnhandled) await this.assertNothingUnhandled()
    } finally {
      this.#forgetExit()
      await this.#folder.dispose()
    }
  }

  #killDescendants(): number {
    const pids = this.descendants()
    for (const pid of pids) killIfAlive(pid)
    return pids.length
  }

  #environment(extra: Record<string, string | undefined>): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name))
    return {
      ...Object.fromEntries(inherited),
      AH_TEST_SEED: String(seed),
      TMPDIR: this.tmpDir,
      ...extra,
      [UNHANDLED_DIR]: this.#unhandledDir,
      NODE_OPTIONS: [process.env['NODE_OPTIONS'], extra['NODE_OPTIONS'], `--import=${PRELOAD}`]
        .filter(Boolean)
        .join(' '),
    }
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // Ended by itself since it was seen.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
