// The primary: holds the listening socket and the store, keeps its workers going, and ends all of it in order.
import { Loop } from 'fastify-ah-kit'
import { AH_CLUSTER_ADDRESS_IN_USE, AH_CLUSTER_FLAPPING, AH_CLUSTER_RELOAD_FAILED } from './errors.ts'
import { type Held, letGo } from './held.ts'
import type { Journal } from './journal.ts'
import { describeAddress, resolveAddress } from './listen-address.ts'
import { Listener } from './listener.ts'
import { crowding, isAnyoneListening, type ManagerSetup } from './manager-setup.ts'
import { Metering } from './metering.ts'
import type { GuardListener } from './primary-guard.ts'
import { findProject } from './project.ts'
import { Reload } from './reload.ts'
import { accessOf } from './socket-access.ts'
import type { ClusterStatus, ListenAddress } from './types.ts'
import { Workforce } from './workforce.ts'

/** How a cluster ended. */
export interface ManagerEnd {
  /** Nothing had to be killed. */
  readonly isGraceful: boolean
  /** Why it gave up, if it did. */
  readonly error: Error | undefined
}

/**
 * | phase | moves to | when |
 * |---|---|---|
 * | new | running | `start()` has bound the socket |
 * | running | stopping | `stop()`, `kill()`, the release failed before it ever served, the primary failed |
 * | new | stopping | `stop()` or `kill()` came while it bound |
 * | stopping | ended | the last worker is gone |
 *
 * Whatever happens only changes the phase and wakes the loop; the loop's step alone forks, stops and kills.
 */
export class Manager implements GuardListener {
  /** Settles when workers, socket and store are gone. Never rejects. */
  readonly ended: Promise<ManagerEnd>
  readonly #setup: ManagerSetup
  readonly #journal: Journal
  readonly #loop: Loop
  readonly #startedAt = performance.now()
  #resolveEnded: (end: ManagerEnd) => void = () => undefined
  #phase: 'new' | 'running' | 'stopping' | 'ended' = 'new'
  #isForced = false
  #error: Error | undefined
  #held: Held | undefined

  constructor(setup: ManagerSetup) {
    this.#setup = setup
    this.#journal = setup.journal
    this.#loop = new Loop({
      name: 'manager',
      step: () => this.#step(),
      onError: (error) => this.#journal.failed(error, 'the manager failed at a step and tries again'),
    })
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
  }

  /** Binds, starts the store and begins to fork. Throws what kept it from that; nothing is left behind then. */
  async start(): Promise<void> {
    const { options, root } = this.#setup
    const address = await resolveAddress(options, root)
    // A wrong path is told before anything is bound.
    findProject(root, options.app)
    const listener = isAnyoneListening(this.#setup) ? await this.#bind(address) : undefined
    this.#held = await this.#hold(listener)
    if (this.#phase === 'new') this.#phase = 'running'
    const { wanted } = this.#held.workforce
    this.#journal.starts(listener?.address, wanted)
    this.#journal.crowded(crowding(this.#setup, wanted))
    this.#loop.start()
  }

  /** Begins an orderly stop: every worker drains. */
  stop(): void {
    if (this.#phase === 'new' || this.#phase === 'running') {
      this.#phase = 'stopping'
      this.#journal.stops(this.#held?.workforce.size ?? 0)
    }
    this.#loop.wake()
  }

  /** Ends every worker now. */
  kill(): void {
    this.#isForced = true
    this.stop()
  }

  /**
   * Begins a rolling reload: each worker is replaced once its successor serves. While one runs, a second is queued;
   * further wishes join it. Given up at once if the cluster does not run.
   */
  reload(): Reload {
    const workforce = this.#running
    if (workforce !== undefined) return this.#woken(workforce.reload())
    const reload = new Reload(0)
    reload.end(new AH_CLUSTER_RELOAD_FAILED('the cluster stops'))
    return reload
  }

  /** Ends all workers by a drain at once and starts fresh ones; connections wait meanwhile. */
  restart(): void {
    const workforce = this.#running
    if (workforce === undefined) return
    this.#journal.restarts(workforce.size)
    this.#woken(workforce.restart())
  }

  /**
   * Sets how many workers of `role` (default: the first that was named) there are, or with `by` how many more.
   * Answers the new number; undefined if the cluster does not run or has no such role.
   */
  scale(change: { readonly to: number } | { readonly by: number }, role?: string): number | undefined {
    const workforce = this.#running
    const meant = role ?? workforce?.roles[0]
    if (workforce === undefined || !workforce.roles.includes(meant)) return undefined
    const count = 'to' in change ? change.to : workforce.count(meant) + change.by
    const workers = this.#woken(workforce.scale(meant, count))
    this.#journal.scaled(meant, workers)
    return workers
  }

  /** The roles there are; none if the operator named none. */
  get roles(): readonly string[] {
    return this.#setup.roles.flatMap(({ role }) => role ?? [])
  }

  status(): ClusterStatus {
    const { listener, workforce } = this.#held ?? {}
    return {
      title: this.#setup.title,
      primaryPid: process.pid,
      generation: workforce?.generation ?? 1,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      address: listener && describeAddress(listener.address),
      wanted: workforce?.wanted ?? 0,
      isFlapping: workforce?.isFlapping ?? false,
      reload: workforce?.reloading,
      workers: workforce?.status() ?? [],
    }
  }

  /** Whether it takes orders: it has started, and does not stop. */
  get isRunning(): boolean {
    return this.#running !== undefined
  }

  get #running(): Workforce | undefined {
    return this.#phase === 'running' ? this.#held?.workforce : undefined
  }

  #woken<T>(result: T): T {
    this.#loop.wake()
    return result
  }

  #bind(address: ListenAddress): Promise<Listener> {
    const { options } = this.#setup
    const onWait = (error: Error) => this.#journal.waits(error, options.bindWaitMs)
    return Listener.bind(address, { ...accessOf(options), waitMs: options.bindWaitMs, onWait })
  }

  channelGarbled(): void {
    this.#journal.messageIgnored(undefined)
  }

  /** The workers still serve and the socket is still there: an orderly end is better than none. */
  failed(error: Error): void {
    this.#error ??= error
    this.#journal.failed(error, 'the primary failed and stops')
    if (this.#phase === 'stopping') this.kill()
    else this.stop()
  }

  async #hold(listener: Listener | undefined): Promise<Held> {
    let metering: Metering | undefined
    try {
      metering = await Metering.open(this.#setup, () => this.status())
      const store = await this.#setup.startStore?.()
      const workforce = new Workforce({
        setup: this.#setup,
        listener,
        store,
        metering,
        wake: () => this.#loop.wake(),
        proven: () => listener && this.#checkSocket(listener),
        status: () => this.status(),
      })
      return { listener, store, metering, workforce }
    } catch (error) {
      listener?.close()
      await metering?.close()
      throw error
    }
  }

  /** One round; answers how long until the next, if nothing wakes the loop before. */
  async #step(): Promise<number> {
    const held = this.#held
    if (held === undefined || this.#phase === 'ended') return Number.POSITIVE_INFINITY
    const { workforce } = held
    const now = performance.now()
    if (this.#phase === 'running' && workforce.failure !== undefined) {
      this.#error = workforce.failure
      this.#phase = 'stopping'
    }
    const wait = this.#phase === 'running' ? workforce.act(now) : await this.#windUp(held)
    if (this.#phase === 'running' && workforce.isFlapping && this.#setup.options.exitOnFlap) {
      this.#error = new AH_CLUSTER_FLAPPING('workers die faster than they can serve: the cluster ends (--exit-on-flap)')
      this.stop()
      return 0
    }
    return Math.min(wait, workforce.killOverdue(now))
  }

  /** Answers Infinity: only what the workers do brings the end nearer. */
  async #windUp(held: Held): Promise<number> {
    // Ours must not be the last hold on the socket: connections would wait in it for nobody, and be reset in the end.
    // A unix socket's path goes with ours, so it stays as long as the workers take connections.
    const { listener, workforce } = held
    if (listener?.address.kind === 'tcp' || workforce.isGrowingDeaf) listener?.close()
    workforce.windUp(this.#isForced)
    if (held.workforce.size === 0) await this.#finish(held)
    return Number.POSITIVE_INFINITY
  }

  async #finish(held: Held): Promise<void> {
    this.#phase = 'ended'
    await letGo(held, this.#journal)
    const isGraceful = held.workforce.killed === 0
    this.#journal.stopped(isGraceful)
    this.#resolveEnded({ isGraceful, error: this.#error })
    void this.#loop.stop()
  }

  /** Until its first worker listened, our unix socket looked stale to every other primary that was started meanwhile. */
  #checkSocket({ isOurs, address }: Listener): void {
    if (isOurs || address.kind !== 'unix') return
    this.#error = new AH_CLUSTER_ADDRESS_IN_USE(`the socket ${address.path} has been taken by another server meanwhile`)
    this.#phase = 'stopping'
  }
}
