// What a worker process does: boots on the primary's orders, serves, drains when told, and says what it dies of.
import { lifecycleOf, type PeerDeath } from 'fastify-ah-kit'
import { type StartedApp, startApp } from './app-server.ts'
import { Door } from './door.ts'
import { reportOf } from './error-report.ts'
import type { NativeHandle } from './listening-handle.ts'
import type { WorkerOrders } from './messages.ts'
import { BOOT_GRACE_MS, CLOSE_MS } from './options.ts'
import { PrimaryLink, type PrimaryListener } from './primary-link.ts'
import { Pulse } from './pulse.ts'

// How long the primary may take to remove the path of a unix socket.
const UNLINK_MS = 50
// How long other listeners to an uncaught exception have until the process ends.
const TRACKERS_MS = 2_000
// How long the last words may take to leave.
const LAST_WORDS_MS = 1_000

/**
 * | state | moves to | when |
 * |---|---|---|
 * | waiting | booting | the orders come |
 * | booting | serving | the app listens |
 * | booting | draining | it was told to stop, and the boot ended soon after: plugins may hold leases and jobs by then |
 * | booting, waiting | exited | told to stop, and the boot takes longer; or the primary is gone |
 * | serving | draining | told to stop, SIGTERM, the primary is gone, or the app closes itself |
 * | draining | exited | the app is closed, or the deadline is over |
 * | any | exited | an error that nobody caught |
 */
class WorkerBody implements PrimaryListener {
  readonly #link: PrimaryLink
  #started: StartedApp | undefined
  /** Deaths that came before the app could hear of them. */
  #deaths: PeerDeath[] = []
  /** While it boots: ends it if it was told to stop. */
  #giveUp: NodeJS.Timeout | undefined
  #isBooting = false
  #isExiting = false
  #pulse: Pulse | undefined
  #door: Door | undefined

  constructor(link: PrimaryLink) {
    this.#link = link
  }

  start(orders: WorkerOrders, handle: NativeHandle | undefined): void {
    void this.#boot(orders, handle)
  }

  stop(): void {
    if (this.#started !== undefined) void this.#drain(this.#started)
    else if (this.#isBooting) this.#giveUp ??= setTimeout(() => this.#leave(), BOOT_GRACE_MS)
    else this.#leave()
  }

  peerDied(death: PeerDeath): void {
    if (this.#started === undefined) this.#deaths.push(death)
    else this.#announce(this.#started, death)
  }

  limited(connections: number): void {
    this.#door?.limit(connections)
  }

  pinged(): void {
    this.#pulse?.beat()
  }

  reopened(handle: NativeHandle): void {
    this.#door?.open(handle)
  }

  orphaned(): void {
    const started = this.#started
    if (started === undefined) {
      void this.#exit(1)
      return
    }
    started.drain.skipNotReady()
    // Nobody is left to kill us if the drain or the app's close hangs.
    setTimeout(() => process.exit(1), started.drain.longestMs + CLOSE_MS)
    void this.#drain(started)
  }

  /**
   * Says what it dies of, and dies: nobody knows what state it is in. Crash trackers that listen as well get some time
   * to send what they heard; many of them leave the exit to others once they see that somebody else listens.
   */
  crashed(thrown: unknown): void {
    // With nobody to tell, the last place where it can be seen.
    if (!process.connected) console.error(thrown)
    const told = this.#link.send({ type: 'crashed', error: reportOf(thrown) })
    if (process.listenerCount('uncaughtException') === 1) void this.#exit(1, told)
    else setTimeout(() => void this.#exit(1), TRACKERS_MS)
  }

  async #boot(orders: WorkerOrders, handle: NativeHandle | undefined): Promise<void> {
    process.title = orders.title
    this.#deaths.unshift(...orders.deaths)
    this.#isBooting = true
    try {
      const socket = orders.address && handle && { address: orders.address, handle }
      const started = await startApp(orders, socket, { orders, link: this.#link })
      this.#started = started
      started.drain.hear({
        stopping: (drainMs) => void this.#link.send({ type: 'stopping', drainMs }),
        deaf: () => this.#deaf(orders),
        stopped: () => this.#leave(),
      })
      if (this.#giveUp !== undefined) {
        clearTimeout(this.#giveUp)
        started.drain.skipNotReady()
        void this.#drain(started)
        return
      }
      void this.#link.send({ type: 'started', drainMs: started.drain.longestMs })
      for (const death of this.#deaths.splice(0)) this.#announce(started, death)
      this.#live(started, orders)
    } catch (thrown) {
      if (this.#giveUp !== undefined) this.#leave()
      else void this.#exit(1, this.#link.send({ type: 'failed', error: reportOf(thrown) }))
    }
  }

  #live({ app, drain }: StartedApp, { address, backlog, pulseMs }: WorkerOrders): void {
    const pulse = new Pulse(app.server, (vitals) => {
      void this.#link.send({ type: 'pulse', vitals, isShut: this.#door?.isShut ?? false })
    })
    if (address !== undefined) this.#door = new Door(app.server, { address, backlog, drain, grown: () => pulse.beat() })
    pulse.start(pulseMs)
    this.#pulse = pulse
  }

  async #drain(started: StartedApp): Promise<void> {
    try {
      await started.drain.run()
    } catch (thrown) {
      void this.#exit(1, this.#link.send({ type: 'crashed', error: reportOf(thrown) }))
    }
  }

  /** The primary removes a unix socket's path now; connections that came until then are still accepted. */
  async #deaf({ address }: WorkerOrders): Promise<void> {
    await this.#link.send({ type: 'deaf' })
    if (address?.kind === 'unix') await new Promise((resolve) => setTimeout(resolve, UNLINK_MS))
  }

  #announce({ app }: StartedApp, death: PeerDeath): void {
    for (const error of lifecycleOf(app).announcePeerDeath(death)) {
      app.log.error({ err: error, peer: death }, 'a listener failed on the death of another worker')
    }
  }

  #leave(): void {
    void this.#exit(0, this.#link.send({ type: 'stopped' }))
  }

  async #exit(code: number, lastWords: Promise<void> = Promise.resolve()): Promise<void> {
    if (this.#isExiting) return
    this.#isExiting = true
    setTimeout(() => process.exit(code), LAST_WORDS_MS)
    await lastWords
    process.exit(code)
  }
}

const link = new PrimaryLink()
const body = new WorkerBody(link)
process.on('uncaughtException', (error) => body.crashed(error))
// A terminal sends these to the whole group; when and how to stop is the primary's to say.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('SIGTERM', () => body.stop())
link.listen(body)
void link.send({ type: 'starting' })
