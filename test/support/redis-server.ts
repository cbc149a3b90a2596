// Owns a real redis-server of one's own.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { OsProcess } from './os-process.ts'
import { OwnedClients } from './owned-clients.ts'
import { freePort } from './port.ts'
import { REDIS_HOST, type RedisPlace, type RedisServerOptions, redisConfig, socketPathIn } from './redis-config.ts'
import { atEnd, type TestScope } from './scope.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { makeCertificates } from './tls.ts'
import { until } from './until.ts'

/** ioredis options; answers keep their usual form, whatever the protocol. */
export type ClientOptions = RedisOptions & { replyMapping?: 'legacy' }

/** A running server; ends with the test, or by {@link RedisServer.dispose}. */
export interface RedisServer {
  /** `redis://…` or, with TLS, `rediss://…`; holds the password. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Of the current process; another after {@link restart}. */
  readonly pid: number
  /** Whether the process lives, paused or not. */
  readonly isRunning: boolean
  /** Its working directory: redis.conf, append-only files. */
  readonly dir: string
  /** With `unixSocket`. */
  readonly socketPath: string
  /** With `tls`: the certificate authority, PEM. */
  readonly ca: string | undefined
  /** A client, closed by {@link dispose}; stays through outages. Has an `error` listener, so an outage does not print. */
  client(options?: ClientOptions): Redis
  /** One command over a connection of its own: works whatever happened to other connections. Rejects after 5 s. */
  command(...args: (string | number | Buffer)[]): Promise<unknown>
  /** Creates a user that may do all but these commands; answers the url to connect as that user. Gone after a restart. */
  denyCommand(...names: string[]): Promise<string>
  /** Graceful end (SIGTERM); waits for it. {@link restart} brings it back. Twice is fine. */
  stop(): Promise<void>
  /** `kill -9`; waits for the end. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open, nothing is answered. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Ends it gracefully if it runs, and starts it on the same port and data. */
  restart(): Promise<void>
  /** What it printed, over all restarts. */
  log(): string
  /** Closes its clients, stops it, removes its folder. Done at the end of the test. Twice is fine. */
  dispose(): Promise<void>
}

const PORT_ATTEMPTS = 5
const COMMAND_DEADLINE_MS = 5_000

/** Starts a redis-server and waits until it answers. */
export async function startRedis(options: RedisServerOptions = {}, scope?: TestScope): Promise<RedisServer> {
  const folder = tempDir()
  const certificates = options.tls ? await makeCertificates(folder.path) : undefined
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const server = new OwnedRedis(options, { dir: folder.path, port, certificates }, folder)
    try {
      await server.start()
      atEnd(scope, () => server.dispose())
      return server
    } catch (error) {
      // Another process may have taken the free port in the meantime.
      const isRaced = options.port === undefined && server.log().includes('Address already in use')
      if (isRaced && attempt < PORT_ATTEMPTS) continue
      await server.dispose()
      throw error
    }
  }
}

class OwnedRedis implements RedisServer {
  readonly host = REDIS_HOST
  readonly #options: RedisServerOptions
  readonly #place: RedisPlace
  readonly #folder: TempDir
  readonly #clients = new OwnedClients()
  #process: OsProcess | undefined
  #earlierLog = ''
  #users = 0

  constructor(options: RedisServerOptions, place: RedisPlace, folder: TempDir) {
    this.#options = options
    this.#place = place
    this.#folder = folder
  }

  get port(): number {
    return this.#place.port
  }

  get ca(): string | undefined {
    return this.#place.certificates?.ca
  }

  get url(): string {
    const { password } = this.#options
    return this.#urlFor(password === undefined ? '' : `:${encodeURIComponent(password)}@`)
  }

  get pid(): number {
    return this.#process?.pid ?? Number.NaN
  }

  get isRunning(): boolean {
    return this.#process !== undefined && !this.#process.hasExited
  }

  get dir(): string {
    return this.#place.dir
  }

  get socketPath(): string {
    return socketPathIn(this.dir)
  }

  async start(): Promise<void> {
    // Only the first time: Sentinel and the server itself rewrite the file, and a restart must see that.
    if (!this.#process) await writeFile(this.#configFile, redisConfig(this.#options, this.#place))
    const started = this.#launch()
    await until(() => started.hasExited || this.command('PING'), { what: `an answer of Redis on port ${this.port}` })
    if (started.hasExited) throw new Error(`redis-server ended at its start:\n${this.log()}`)
  }

  client(options: ClientOptions = {}): Redis {
    const { password } = this.#options
    const defaults: ClientOptions = { host: this.host, port: this.port }
    if (password !== undefined) defaults.password = password
    if (this.ca !== undefined) defaults.tls = { ca: this.ca }
    return this.#clients.add(new Redis({ ...defaults, ...options }))
  }

  async command(...args: (string | number | Buffer)[]): Promise<unknown> {
    const client = this.client({
      lazyConnect: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      disconnectTimeout: 100,
    })
    // A stopped server accepts connections and answers nothing, the greeting of the client included.
    const patience = setTimeout(() => client.disconnect(), COMMAND_DEADLINE_MS)
    try {
      await client.connect()
      const [name, ...rest] = args
      return await client.call(String(name), rest)
    } finally {
      clearTimeout(patience)
      this.#clients.close(client)
    }
  }

  async denyCommand(...names: string[]): Promise<string> {
    const user = `without-${++this.#users}`
    const denied = names.map((name) => `-${name}`)
    await this.command('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', ...denied)
    return this.#urlFor(`${user}:secret@`)
  }

  async stop(): Promise<void> {
    await this.#process?.terminate('SIGTERM')
  }

  async kill(): Promise<void> {
    await this.#process?.terminate('SIGKILL')
  }

  pause(): void {
    this.#process?.signal('SIGSTOP')
  }

  resume(): void {
    this.#process?.signal('SIGCONT')
  }

  async restart(): Promise<void> {
    await this.stop()
    this.#earlierLog = this.log()
    await this.start()
  }

  log(): string {
    return this.#earlierLog + (this.#process?.stdout() ?? '') + (this.#process?.stderr() ?? '')
  }

  async dispose(): Promise<void> {
    this.#clients.closeAll()
    await this.stop()
    await this.#folder.dispose()
  }

  get #configFile(): string {
    return join(this.dir, 'redis.conf')
  }

  #launch(): OsProcess {
    const args = [this.#configFile, ...(this.#options.args ?? [])]
    this.#process = new OsProcess('redis-server', args, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] })
    return this.#process
  }

  #urlFor(credentials: string): string {
    return `${this.ca === undefined ? 'redis' : 'rediss'}://${credentials}${REDIS_HOST}:${this.port}`
  }
}
