// What is known of tracked jobs: state, progress, outcome.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { AH_TASKS_INPUTS } from '../errors.ts'
import type { Scope } from '../scope.ts'
import { noteTrack } from '../scripts/note-track.ts'
import type { JobTrack } from '../types.ts'

// A waiter looks again after so many ms, then later and later.
const firstLookMs = 10
const lastLookMs = 250

const states = new Set<string>(['waiting', 'running', 'succeeded', 'failed', 'cancelled'])

export class Tracks {
  readonly #scope: Scope
  readonly #log: FastifyBaseLogger

  constructor(scope: Scope) {
    this.#scope = scope
    this.#log = scope.log
  }

  /** Notes how far a job is. Rejects if Redis cannot be told. */
  async progress(id: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value)
    if (text === undefined) throw new AH_TASKS_INPUTS(`the progress of the job ${id} cannot be kept as JSON`)
    await this.#note(id, ['state', 'running', 'progress', text])
  }

  /** Notes that it runs. Nobody waits for that: the job is not held up, and does not fail by it. */
  noteRunning(id: string): void {
    this.#note(id, ['state', 'running']).catch((thrown) => {
      this.#log.warn({ err: toError(thrown), job: id }, 'that a tracked job runs could not be noted')
    })
  }

  /** What is known; undefined for a job that is not tracked, or not any more. */
  async read(id: string): Promise<JobTrack | undefined> {
    const { connection, keys } = this.#scope
    const fields = await connection.read<(string | null)[]>('HMGET', [keys.track(id), 'state', 'progress', 'outcome'])
    const [state, progress, outcome] = fields
    if (typeof state !== 'string' || !states.has(state)) return undefined
    return {
      id,
      state: state as JobTrack['state'],
      ...(progress && { progress: JSON.parse(progress) }),
      ...(outcome && JSON.parse(outcome)),
    }
  }

  /** The track once it is finished; as it is when the time is over. */
  async ended(id: string, timeoutMs: number): Promise<JobTrack | undefined> {
    const deadline = performance.now() + timeoutMs
    for (let pause = firstLookMs; ; pause = Math.min(pause * 1.5, lastLookMs)) {
      const track = await this.read(id)
      const isOver = track === undefined || (track.state !== 'waiting' && track.state !== 'running')
      const left = deadline - performance.now()
      if (isOver || left <= 0) return track
      // Spread, so that many waiters do not ask at once.
      await sleep(Math.min(left, pause * (0.5 + Math.random())))
    }
  }

  #note(id: string, fields: readonly string[]): Promise<unknown> {
    const { connection, keys, trackMs } = this.#scope
    return connection.run(noteTrack, [keys.track(id)], [trackMs, ...fields])
  }
}
