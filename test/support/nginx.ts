// Owns a real nginx of one's own.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OsProcess } from './os-process.ts'
import { freePort } from './port.ts'
import { isAlive, processTree } from './process-tree.ts'
import { atEnd, type TestScope } from './scope.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { until } from './until.ts'

/** What the configuration may refer to. */
export interface NginxVars {
  /** A free port on 127.0.0.1; `listen 127.0.0.1:${port}` is expected. */
  port: number
  /** Folder for sockets, logs, pages; nginx may read and write it. */
  dir: string
}

/** Either a part of the configuration or all of it. Asked again by each reload. */
export type NginxOptions =
  | {
      /** Answers what stands inside `http { }`: upstreams and servers. */
      conf: (vars: NginxVars) => string
    }
  | {
      /**
       * Answers the whole file, without `user`, `daemon` and `error_log`, with `worker_processes 2` and a `pid` in `dir`.
       */
      file: (vars: NginxVars) => string
    }

/** A running nginx with two workers; ends with the test. */
export interface Nginx {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly pid: number
  readonly dir: string
  /** Takes the configuration anew (SIGHUP) and waits until new workers serve. Rejects when nginx refuses it. */
  reload(): Promise<void>
  /** Its error log. Access logs are off unless the configuration has its own. */
  log(): string
  /** Ends it. Twice is fine. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const WORKERS = 2
const REFUSAL = /\[emerg\].*/

/** Starts nginx in the foreground and waits until its workers run. */
export async function startNginx(options: NginxOptions, scope?: TestScope): Promise<Nginx> {
  const nginx = new OwnedNginx(options, tempDir(), await freePort())
  try {
    await nginx.start()
  } catch (error) {
    await nginx.stop()
    throw error
  }
  atEnd(scope, () => nginx.stop())
  return nginx
}

class OwnedNginx implements Nginx {
  readonly port: number
  readonly #options: NginxOptions
  readonly #folder: TempDir
  #process: OsProcess | undefined

  constructor(options: NginxOptions, folder: TempDir, port: number) {
    this.#options = options
    this.#folder = folder
    this.port = port
  }

  get url(): string {
    return `http://${HOST}:${this.port}`
  }

  get pid(): number {
    return this.#process?.pid ?? Number.NaN
  }

  get dir(): string {
    return this.#folder.path
  }

  async start(): Promise<void> {
    await this.#writeConfig()
    const args = ['-p', this.dir, '-c', this.#configFile, '-e', 'stderr']
    // Its workers end with it only when it is asked, not killed.
    this.#process = new OsProcess('nginx', args, { stdio: ['ignore', 'ignore', 'pipe'], orphanSignal: 'SIGTERM' })
    await this.#untilWorkersOtherThan([])
  }

  async reload(): Promise<void> {
    await this.#writeConfig()
    const before = processTree(this.pid)
    this.#process!.signal('SIGHUP')
    await this.#untilWorkersOtherThan(before)
  }

  log(): string {
    return this.#process?.stderr() ?? ''
  }

  async stop(): Promise<void> {
    const workers = this.#process?.hasExited === false ? processTree(this.pid) : []
    await this.#process?.terminate('SIGTERM')
    await until(() => !workers.some(isAlive), { what: 'the workers of nginx are gone' })
    await this.#folder.dispose()
  }

  async #untilWorkersOtherThan(before: number[]): Promise<void> {
    const seen = this.log().length
    const look = () => {
      const refusal = REFUSAL.exec(this.log().slice(seen))?.[0]
      if (refusal !== undefined || this.#process!.hasExited) return { refusal: refusal ?? this.log() }
      const fresh = processTree(this.pid).filter((pid) => !before.includes(pid))
      // Until it begins to shut down an old worker takes connections too, and answers them in the old way.
      const isOldGone = before.every((pid) => !isAlive(pid) || this.log().includes(`${pid}: gracefully shutting down`))
      return fresh.length >= WORKERS && isOldGone ? { refusal: undefined } : undefined
    }
    const { refusal } = await until(look, { what: 'new workers of nginx' })
    if (refusal !== undefined) throw new Error(`nginx refuses its configuration: ${refusal}`)
  }

  get #configFile(): string {
    return join(this.dir, 'nginx.conf')
  }

  async #writeConfig(): Promise<void> {
    await writeFile(this.#configFile, this.#config())
  }

  #config(): string {
    const { dir, port } = this
    // As root nginx would drop to a user who cannot enter a folder of mode 0700.
    const user = process.getuid?.() === 0 ? 'user root;' : ''
    const own = `${user}\ndaemon off;\nerror_log stderr notice;\n`
    if ('file' in this.#options) return own + this.#options.file({ port, dir })
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    return `${own}worker_processes ${WORKERS};
pid ${dir}/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  ${folders.map((name) => `${name}_temp_path ${dir}/${name};`).join('\n  ')}
  ${this.#options.conf({ port, dir })}
}
`
  }
}
