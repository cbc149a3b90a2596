// The claims of processes that are dead: read as bytes, moved as exactly these bytes.

import { decodeMarked, type MarkedPayload } from '../mark.ts'
import type { Scope } from '../scope.ts'
import { moveClaims } from '../scripts/move-claims.ts'
import { readEnded } from '../scripts/read-ended.ts'

/** A claim of a dead process. */
export interface EndedClaim {
  readonly claim: string
  /** As it was read. */
  readonly bytes: Buffer
  readonly job: MarkedPayload
}

/** What a dead process left. */
export interface EndedProcess {
  readonly bootId: string
  readonly claims: readonly EndedClaim[]
}

/** Where a claim goes: back, with a new mark, or to the failed list. */
export interface Move {
  readonly claim: EndedClaim
  readonly put?: Buffer
  readonly failed?: {
    readonly entry: string
    readonly track?: { readonly id: string; readonly outcome: string } | undefined
    readonly tick?: { readonly task: string; readonly at: number } | undefined
  }
}

export class Ended {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** A process whose lease has ended; or the one that is known to be dead. */
  async read(known = ''): Promise<EndedProcess | undefined> {
    const { connection, keys, leaseMs } = this.#scope
    const words = [keys.root, leaseMs, known]
    const answer = await connection.run<Buffer[]>(readEnded, [keys.beat, keys.processors], words, { buffers: true })
    const [bootId, ...fields] = answer
    if (bootId === undefined) return undefined
    const claims: EndedClaim[] = []
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const bytes = fields[index + 1] as Buffer
      const job = decodeMarked(bytes)
      claims.push({ claim: String(fields[index]), bytes, job: job ?? unreadable(bytes) })
    }
    return { bootId: String(bootId), claims }
  }

  /** Moves claims; answers how many are left, or -1 if the process turned out to live. */
  async move(bootId: string, isKnownDead: boolean, moves: readonly Move[]): Promise<number> {
    const { connection, keys, leaseMs, maxFailed, trackMs } = this.#scope
    const touched = [keys.beat, keys.processors, keys.registrations, keys.workers]
    const words: (string | number | Buffer)[] = [keys.root, leaseMs, bootId, isKnownDead ? 1 : 0]
    for (const { claim, put, failed } of moves) {
      const tick = failed?.tick === undefined ? '' : `${failed.tick.at} ${failed.tick.task}`
      words.push(claim.claim, claim.bytes, put ?? '', failed?.entry ?? '', maxFailed)
      words.push(failed?.track?.id ?? '', failed?.track?.outcome ?? '', trackMs, tick)
    }
    return connection.run<number>(moveClaims, touched, words)
  }
}

/** What has no mark was put there by nobody of ours: its worker will fail it, with its bytes. */
function unreadable(payload: Buffer): MarkedPayload {
  return { kind: 'r', deaths: 0, queue: 'default', payload }
}
