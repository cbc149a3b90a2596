// Recovers: gives the jobs of dead processes back, and finds out which of them kill.
import { Loop, type PeerDeath, toError } from 'fastify-ah-kit'
import { AH_TASKS_CRASHED, AH_TASKS_PAYLOAD } from './errors.ts'
import { encodeFailure } from './failure.ts'
import { encodeMarked } from './mark.ts'
import { type ParsedPayload, parsePayload } from './payload.ts'
import { failureText } from './result-text.ts'
import type { Ended, EndedClaim, EndedProcess, Move } from './store/ended.ts'

/** What it needs. */
export interface RecoverFor {
  readonly ended: Ended
  /** The boot ids of all processes that have a lease. */
  readonly bootIds: () => Promise<readonly string[]>
  readonly everyMs: number
  readonly workerName: string
  readonly onRecovered: (bootId: string, count: number) => void
  readonly onError: (error: Error, failures: number) => void
}

// The death that is one too many.
const fatalDeaths = 3

/**
 * | the process had | its suspect | its other jobs |
 * |---|---|---|
 * | a suspect | one death more, the third ends in the failed list | go back, not to blame |
 * | no suspect, one job | becomes one, with one death | – |
 * | no suspect, several jobs | – | all become suspects, without a death |
 * | was killed at the end of its drain | stays what it was | go back, not to blame |
 */
export class Recover {
  readonly #for: RecoverFor
  readonly #loop: Loop

  constructor(owner: RecoverFor) {
    this.#for = owner
    this.#loop = new Loop({ name: 'recover', step: () => this.#sweep(), onError: owner.onError })
  }

  start(): void {
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  /** A process is known to be dead: its jobs come back at once. Never rejects. */
  async announce({ bootId, cause }: PeerDeath): Promise<void> {
    const { bootIds, ended, onError } = this.#for
    try {
      for (const id of await bootIds()) {
        if (id !== bootId && !id.startsWith(`${bootId}.`)) continue
        for (;;) {
          const process = await ended.read(id)
          if (process === undefined || !(await this.#move(process, true, cause === 'crashed'))) break
        }
      }
    } catch (thrown) {
      // Its lease ends soon, and the sweep finds it.
      onError(toError(thrown), 1)
    }
  }

  async #sweep(): Promise<number> {
    for (;;) {
      const process = await this.#for.ended.read()
      if (process === undefined) return this.#for.everyMs
      await this.#move(process, false, true)
    }
  }

  /** Answers whether there is more to do with it. */
  async #move({ bootId, claims }: EndedProcess, isKnownDead: boolean, isBlamed: boolean): Promise<boolean> {
    const { ended, onRecovered } = this.#for
    const hasSuspect = claims.some(({ job }) => job.kind === 's')
    // The last comes first: each goes to the head of its queue.
    const ordered = [...claims].sort((a, b) => Number(b.claim) - Number(a.claim))
    const moves = ordered.map((claim) => this.#moveOf(claim, { isBlamed, hasSuspect, isAlone: claims.length === 1 }))
    const left = await ended.move(bootId, isKnownDead, moves)
    if (left >= 0 && claims.length > 0) onRecovered(bootId, claims.length)
    return left > 0
  }

  #moveOf(
    claim: EndedClaim,
    { isBlamed, hasSuspect, isAlone }: { isBlamed: boolean; hasSuspect: boolean; isAlone: boolean },
  ): Move {
    const { job } = claim
    if (!isBlamed) return { claim, put: encodeMarked({ ...job, kind: job.kind === 's' ? 's' : 'r' }) }
    if (hasSuspect && job.kind !== 's') return { claim, put: encodeMarked({ ...job, kind: 'r' }) }
    const deaths = job.deaths + (hasSuspect || isAlone ? 1 : 0)
    if (deaths < fatalDeaths) return { claim, put: encodeMarked({ ...job, kind: 's', deaths }) }
    return { claim, failed: this.#failed(claim, deaths) }
  }

  #failed({ job }: EndedClaim, deaths: number): NonNullable<Move['failed']> {
    const error = new AH_TASKS_CRASHED(deaths)
    // The stack of this process says nothing of how that one died.
    error.stack = `${error.name}: ${error.message}`
    const { queue, payload } = job
    const parsed = parsedOf(payload)
    const meta = parsed?.meta
    return {
      entry: encodeFailure({ worker: this.#for.workerName, queue, payload, error }),
      track: meta?.track && { id: meta.id, outcome: failureText(error) },
      tick: meta?.tick === undefined || parsed === undefined ? undefined : { task: parsed.job.class, at: meta.tick },
    }
  }
}

function parsedOf(payload: Buffer): ParsedPayload | undefined {
  try {
    return parsePayload(payload.toString())
  } catch (error) {
    // It could not be run, and killed its process all the same: the entry holds its bytes.
    if (error instanceof AH_TASKS_PAYLOAD) return undefined
    throw error
  }
}
