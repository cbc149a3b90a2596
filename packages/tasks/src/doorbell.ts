// Waits for what wakes a process: new jobs while it has room for them, and its mail always.
import { Loop } from 'fastify-ah-kit'
import type { DedicatedConnection, RedisClient } from 'fastify-ah-kit/redis'
import type { Scope } from './scope.ts'
import type { WorkQueues } from './work-queues.ts'

/** Who is woken. */
export interface DoorbellFor {
  readonly queues: WorkQueues
  readonly pollMs: number
  /** Whether there is room for jobs, and none were found. */
  readonly isHungry: () => boolean
  /** Jobs may have come; `isNewQueue`: maybe in a queue that was not there. Resolves once that was looked into. */
  readonly onJobs: (isNewQueue: boolean) => Promise<unknown>
  readonly onMail: (text: string) => void
  readonly onError: (error: Error, failures: number) => void
}

// How much longer than asked for a blocked command may take before its connection is replaced.
const graceMs = 2_000

/**
 * One BLPOP at a time on a connection of its own. With no room for jobs it hears its mail alone; the exchange that finds
 * room again then sends a word by mail, so that no token is taken by who cannot use it, and none is missed.
 */
export class Doorbell {
  readonly #scope: Scope
  readonly #for: DoorbellFor
  readonly #connection: DedicatedConnection
  readonly #loop: Loop
  #isDeaf = false
  #mayHaveMissed = false

  constructor(scope: Scope, owner: DoorbellFor) {
    this.#scope = scope
    this.#for = owner
    this.#connection = scope.connection.dedicated('blocking')
    this.#loop = new Loop({
      name: 'doorbell',
      step: (signal) => this.#step(signal),
      onError: owner.onError,
      // Where nothing comes, it waits for so long.
      patienceMs: owner.pollMs + graceMs,
    })
  }

  /** Whether it waits for its mail alone just now. */
  get isDeaf(): boolean {
    return this.#isDeaf
  }

  start(): void {
    this.#loop.start()
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop()
    // Ends the command that it waits in.
    await this.#connection.close()
    await stopped
  }

  async #step(signal: AbortSignal): Promise<number> {
    const { queues, pollMs, isHungry, onJobs, onMail } = this.#for
    const { keys, bootId, eventLog } = this.#scope
    const mailKey = keys.mail(bootId)
    if (this.#mayHaveMissed) {
      // What Redis had said into the connection that broke: a token, or a job by mail.
      await onJobs(true)
      this.#mayHaveMissed = false
    }
    const listens = isHungry()
    const wakes = listens
      ? [...(queues.hasStar ? [keys.wakeNew] : []), ...queues.names.map((name) => keys.wake(name))]
      : []
    this.#isDeaf = !listens
    if (listens) eventLog.write('worker.pause', () => ({ queues: queues.names }), 'there is no job, waits to be woken')
    const words = [mailKey, ...wakes, String(pollMs / 1_000)]
    try {
      const send = (client: RedisClient): Promise<[string, string] | null> =>
        (client.call('BLPOP', words) as Promise<[string, string] | null>).then((said) => {
          this.#isDeaf = false
          // At once: a job may be in it.
          if (said?.[0] === mailKey && said[1] !== 'poke') onMail(said[1])
          return said
        })
      const heard = await this.#connection.wait('BLPOP', send, pollMs + graceMs)
      this.#isDeaf = false
      if (heard === null) {
        // Programs that do not wake us may have put something there.
        if (listens) {
          eventLog.write('worker.poll', () => ({ queues: queues.names }), 'looks for jobs unasked')
          await onJobs(true)
        }
      } else if (heard[0] !== mailKey) {
        await onJobs(heard[0] === keys.wakeNew)
      }
      return 0
    } catch (error) {
      if (signal.aborted) return Number.POSITIVE_INFINITY
      this.#mayHaveMissed = true
      throw error
    }
  }
}
