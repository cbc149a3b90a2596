// Owns a cluster under test: the real command in a process of its own, and what its log says.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  type Exit,
  freePort,
  type HttpTarget,
  httpGet,
  isAlive,
  type SpawnedNode,
  type SpawnNodeOptions,
  spawnNode,
  type TestScope,
  tempDir,
  until,
} from 'fastify-ah-test-support'

const require = createRequire(import.meta.url)

/** The file that npm links as `fastify-ah`. */
export const command: string = join(dirname(require.resolve('fastify-ah/package.json')), 'bin/fastify-ah.js')

/** A line of the primary's log. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly worker?: number
  readonly workerPid?: number
  readonly [key: string]: unknown
}

/** How the cluster is started. */
export interface ClusterUnderTest
  extends Pick<SpawnNodeOptions, 'env' | 'node' | 'execArgv' | 'cwd' | 'unhandledErrors'> {
  /** A fixture's name, or an absolute path; default `app`. */
  readonly app?: string
  /** Default 2. */
  readonly workers?: number
  /** Path of a unix socket; default: a free port on 127.0.0.1. */
  readonly socket?: string
  readonly port?: number
  /** Folder of the pid files; default: one of its own. */
  readonly pids?: string
  /** Further flags. */
  readonly args?: readonly string[]
  /** Default: without a store. */
  readonly isEmbedded?: boolean
}

/** What a command printed. */
export interface Asked {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A started cluster. */
export interface RunningCluster {
  readonly node: SpawnedNode
  readonly pid: number
  readonly target: HttpTarget
  /** Folder of its pid files. */
  readonly pids: string
  /** The primary's log so far, other output left out. */
  log(): readonly LogLine[]
  /** Pids of the workers that serve, by the log and alive, in the order of their start. */
  workers(): number[]
  /** Waits until `count` (default: all) workers serve, none of them one of `not`. Answers their pids. */
  untilServing(options?: { count?: number; not?: readonly number[] }): Promise<number[]>
  /** Runs `fastify-ah <words> --pids …` against it. */
  ask(...words: string[]): Promise<Asked>
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Exit>
}

/** The path of a compiled fixture. */
export function fixture(name: string): string {
  return name.startsWith('/') ? name : join(import.meta.dirname, 'fixtures', `${name}.js`)
}

/** Starts `fastify-ah start cluster` and answers at once; see `untilServing`. */
export async function spawnCluster(options: ClusterUnderTest, scope: TestScope): Promise<RunningCluster> {
  const { app = 'app', workers = 2, socket, args = [], isEmbedded = false, pids: _, ...rest } = options
  const port = options.port ?? (await freePort())
  const where = socket === undefined ? ['--host', '127.0.0.1', '--port', String(port)] : ['--socket', socket]
  const store = isEmbedded ? '--embedded' : '--no-embedded'
  const pids = options.pids ?? tempDir(scope).path
  const count = args.includes('--roles') || args.includes('--workers') ? [] : ['--workers', String(workers)]
  const all = ['start', 'cluster', fixture(app), ...count, ...where, store, '--pids', pids, ...args]
  const node = spawnNode(command, { ...rest, args: all }, scope)
  return new Running(node, workers, pids, socket === undefined ? { port } : { socketPath: socket }, scope)
}

/** Starts it and waits until every worker serves. */
export async function startCluster(options: ClusterUnderTest, scope: TestScope): Promise<RunningCluster> {
  const cluster = await spawnCluster(options, scope)
  await cluster.untilServing()
  return cluster
}

/** GET and its JSON. */
export async function getJson<T = Record<string, unknown>>(target: HttpTarget, path: string): Promise<T> {
  const { status, body } = await httpGet(target, { path })
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`)
  return JSON.parse(body) as T
}

class Running implements RunningCluster {
  readonly node: SpawnedNode
  readonly target: HttpTarget
  readonly pids: string
  readonly #count: number
  readonly #scope: TestScope
  #hasEnded = false

  constructor(node: SpawnedNode, count: number, pids: string, target: HttpTarget, scope: TestScope) {
    this.#scope = scope
    this.node = node
    this.pids = pids
    void node.exited.then(() => {
      this.#hasEnded = true
    })
    this.#count = count
    this.target = target
  }

  get pid(): number {
    return this.node.pid
  }

  log(): readonly LogLine[] {
    return this.node
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('{"level"'))
      .flatMap((line) => parsed(line))
  }

  workers(): number[] {
    const started = this.log().filter(({ msg }) => msg === 'worker started')
    return started.map(({ workerPid }) => workerPid!).filter(isAlive)
  }

  async untilServing(options: { count?: number; not?: readonly number[] } = {}): Promise<number[]> {
    const { count = this.#count, not = [] } = options
    const look = () => {
      const pids = this.workers().filter((pid) => !not.includes(pid))
      return (pids.length >= count || this.#hasEnded) && { pids }
    }
    try {
      const { pids } = await until(look, { what: `${count} workers serve`, deadlineMs: 30_000 })
      if (pids.length < count) throw new Error('the cluster has ended')
      return pids
    } catch (cause) {
      throw new Error(`${String(cause)}\n${this.node.lines().join('\n')}`, { cause })
    }
  }

  async ask(...words: string[]): Promise<Asked> {
    const asked = spawnNode(command, { args: [...words, '--pids', this.pids] }, this.#scope)
    const { code } = await asked.exited
    return { code, stdout: asked.stdout(), stderr: asked.stderr() }
  }

  stop(): Promise<Exit> {
    this.node.kill('SIGTERM')
    return this.node.exited
  }
}

/** The last line may be half there. */
function parsed(line: string): LogLine[] {
  try {
    return [JSON.parse(line) as LogLine]
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
