// What an app's plugins do before it ends, when another process died, and whether it is fit to serve.
import type { FastifyInstance } from 'fastify'
import { AH_KIT_DRAIN_TIMEOUT, toError } from './errors.ts'
import { loopsGoOn } from './loops.ts'
import { oncePerApp } from './root.ts'
import { within } from './within.ts'

/** Another process of the cluster died; the manager tells every worker. */
export interface PeerDeath {
  /** The dead process's boot id: what its leases and claims are filed under. */
  readonly bootId: string
  readonly pid: number
  /** `crashed`: by itself or by a stranger's signal; `deadline`: killed by the manager at the end of its drain. */
  readonly cause: 'crashed' | 'deadline'
}

/** How one drain part ended. */
export interface DrainResult {
  readonly name: string
  /** Why it did not end well; undefined if it did. */
  readonly error: Error | undefined
}

/** What the readiness checks said. */
export interface Readiness {
  readonly ready: boolean
  /** The checks that failed, with their reasons. */
  readonly failed: readonly { readonly name: string; readonly reason: string }[]
}

/** A readiness check: true if fit, else false or, better, the reason in words. */
export type ReadinessCheck = () => boolean | string | Promise<boolean | string>

// An orchestrator asks every few seconds; a check that is silent for longer has failed.
const checkMs = 2000

interface DrainPart {
  readonly name: string
  readonly drain: (signal: AbortSignal) => void | Promise<void>
  readonly ms: number
}

/**
 * One per app, found by `lifecycleOf(app)` from any scope. The manager's worker drives it; without a manager the
 * drain runs when the app closes.
 */
export class Lifecycle {
  readonly #parts: DrainPart[] = []
  readonly #peerDeathListeners = new Set<(death: PeerDeath) => void>()
  readonly #checks = new Map<string, ReadinessCheck>()
  #draining: Promise<readonly DrainResult[]> | undefined

  /** True from the first call of `drain()` on. */
  get isDraining(): boolean {
    return this.#draining !== undefined
  }

  /** The longest time that a part asked for, in ms: parts run at once, so all are over by then. */
  get drainMs(): number {
    return this.#parts.reduce((longest, { ms }) => Math.max(longest, ms), 0)
  }

  /**
   * Has `drain` run before the app closes, beside the other parts. It stops taking on work and ends what it has; its
   * signal aborts after `ms`, when it is given up. To be called while the app boots: once the drain has begun it is too
   * late.
   */
  onDrain(name: string, drain: (signal: AbortSignal) => void | Promise<void>, ms: number): void {
    this.#parts.push({ name, drain, ms })
  }

  /** Has `listener` called for each death that the manager announces; answers how to stop that. */
  onPeerDeath(listener: (death: PeerDeath) => void): () => void {
    this.#peerDeathListeners.add(listener)
    return () => this.#peerDeathListeners.delete(listener)
  }

  /** Adds a check; a later one of the same name replaces it. Answers how to take it back. */
  addReadinessCheck(name: string, check: ReadinessCheck): () => void {
    this.#checks.set(name, check)
    return () => {
      if (this.#checks.get(name) === check) this.#checks.delete(name)
    }
  }

  /** Asks every check. One that throws, or is silent for 2 s, has failed; a draining app is never ready. */
  async readiness(): Promise<Readiness> {
    const asked = [...this.#checks].map(async ([name, check]) => {
      const silent = (): string => `no answer within ${checkMs} ms`
      return { name, answer: await within<boolean | string>(checkMs, askSafely(check), silent) }
    })
    const failed = (await Promise.all(asked))
      .filter(({ answer }) => answer !== true)
      .map(({ name, answer }) => ({ name, reason: answer === false ? 'not ready' : String(answer) }))
    if (this.isDraining) failed.unshift({ name: 'lifecycle', reason: 'draining' })
    return { ready: failed.length === 0, failed }
  }

  /** Runs all drain parts at once. Never rejects; a second call answers the first one's promise. */
  drain(): Promise<readonly DrainResult[]> {
    // The parts begin a moment later: one that looks, or calls this again, finds the app draining.
    this.#draining ??= Promise.resolve().then(() => Promise.all(this.#parts.map(runPart)))
    return this.#draining
  }

  /** Tells the listeners of a death. One that throws does not keep it from the others; its error is answered. */
  announcePeerDeath(death: PeerDeath): readonly Error[] {
    const errors: Error[] = []
    for (const listener of this.#peerDeathListeners) {
      try {
        listener(death)
      } catch (thrown) {
        errors.push(toError(thrown))
      }
    }
    return errors
  }
}

/** The lifecycle of the app that `instance` belongs to. */
export function lifecycleOf(instance: FastifyInstance): Lifecycle {
  return oncePerApp(instance, 'lifecycle', (root) => {
    const lifecycle = new Lifecycle()
    lifecycle.addReadinessCheck('loops', loopsGoOn)
    // Without a manager nobody else would drain; with one this finds the drain done.
    root.addHook('preClose', async () => {
      for (const { name, error } of await lifecycle.drain()) {
        if (error) root.log.error({ err: error, part: name }, 'a drain part failed')
      }
    })
    return lifecycle
  })
}

async function runPart({ name, drain, ms }: DrainPart): Promise<DrainResult> {
  const over = new AbortController()
  const work = (async (): Promise<DrainResult> => {
    try {
      await drain(over.signal)
      return { name, error: undefined }
    } catch (thrown) {
      return { name, error: toError(thrown) }
    }
  })()
  return within(ms, work, () => {
    const error = new AH_KIT_DRAIN_TIMEOUT(name, ms)
    over.abort(error)
    return { name, error }
  })
}

async function askSafely(check: ReadinessCheck): Promise<boolean | string> {
  try {
    return await check()
  } catch (thrown) {
    return toError(thrown).message
  }
}
