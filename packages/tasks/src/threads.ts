// Owns the pool of threads in which tasks with `thread` run; there is none until one is needed.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import { oncePerApp, toError } from 'fastify-ah-kit'
import type { Piscina } from 'piscina'
import { AH_TASKS_DEFINITION } from './errors.ts'
import type { FromThread, ThreadTask, ToThread } from './thread-protocol.ts'
import type { JobContext } from './types.ts'

// How long a thread may take to end by its signal before it is ended by force, in ms.
const endMs = 1_000

export class Threads {
  #pool: Promise<Piscina> | undefined
  #isClosed = false

  /** Loads the pool. Rejects with `AH_TASKS_DEFINITION` where piscina is not installed. */
  async open(): Promise<void> {
    await this.#opened()
  }

  /** Runs a module in a thread of its own until it has ended, or its signal says so. */
  async run(file: string, inputs: unknown, job: JobContext): Promise<unknown> {
    const pool = await this.#opened()
    const { id, attempt, queue, args, recovered, signal } = job
    signal.throwIfAborted()
    const { port1, port2 } = new MessageChannel()
    const force = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const onAbort = (): void => {
      port1.postMessage({ kind: 'abort', reason: signal.reason } satisfies ToThread)
      // Whoever computes without a pause hears no signal.
      timer = setTimeout(() => force.abort(), endMs)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    port1.on('message', (said: FromThread) => void note(said, job, (answer) => port1.postMessage(answer)))
    try {
      const task: ThreadTask = { file, inputs, job: { id, attempt, queue, args, recovered }, port: port2 }
      return await pool.run(task, { transferList: [port2], signal: force.signal })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      port1.close()
    }
  }

  /** Ends all threads, at once: nobody waits for their jobs any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    // Whoever opened it was told that there is none.
    const pool = await this.#pool?.catch(() => undefined)
    await pool?.destroy()
  }

  #opened(): Promise<Piscina> {
    this.#pool ??= this.#open()
    return this.#pool
  }

  async #open(): Promise<Piscina> {
    if (this.#isClosed) throw new Error('the app is closed: no thread is started any more')
    let loaded: { readonly Piscina: typeof Piscina }
    try {
      loaded = await import('piscina')
    } catch (cause) {
      throw new AH_TASKS_DEFINITION('a task with "thread" needs the package piscina: npm install piscina', { cause })
    }
    const filename = new URL('./thread-main.js', import.meta.url).href
    return new loaded.Piscina({ filename, minThreads: 0, maxThreads: availableParallelism() })
  }
}

/** The one pool of an app. */
export function threadsOf(app: FastifyInstance): Threads {
  return oncePerApp(app, 'tasks.threads', () => new Threads())
}

/** The URL of a module that a definition names; undefined if there is no such file. */
export function threadFile(given: string | URL): string | undefined {
  const url = given instanceof URL ? given : given.startsWith('file:') ? new URL(given) : pathToFileURL(resolve(given))
  return url.protocol === 'file:' && existsSync(fileURLToPath(url)) ? url.href : undefined
}

async function note(
  { number, value }: FromThread,
  { progress }: JobContext,
  answer: (said: ToThread) => void,
): Promise<void> {
  try {
    await progress(value)
    answer({ kind: 'noted', number })
  } catch (thrown) {
    answer({ kind: 'noted', number, error: toError(thrown) })
  }
}
