// Owns what is done to the stage under load, and when: reloads, kills, a failover.
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from 'fastify-ah-test-support'
import type { Stage } from './stage.ts'

/** Something that was done; moments of `performance.now()`. */
export interface Trouble {
  readonly what: string
  readonly from: number
  /** When all was whole again. */
  to: number
}

export class Troubles {
  readonly all: Trouble[] = []
  readonly #stage: Stage

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** All workers are replaced, one after the other. */
  reload(): Promise<void> {
    return this.#during('reload', async () => {
      const before = (await this.#stage.workers()).map(({ pid }) => pid)
      this.#stage.cluster.kill('SIGUSR2')
      await this.#stage.untilWhole(before)
    })
  }

  /** `kill -9` of one worker of the role. */
  killWorker(role: 'web' | 'worker'): Promise<void> {
    return this.#during(`kill of a ${role === 'web' ? 'web' : 'task'} worker`, async () => {
      const victim = (await this.#stage.workers()).find((worker) => worker.role === role && worker.state === 'started')
      if (victim === undefined) throw new Error(`there is no worker of the role ${role}`)
      process.kill(victim.pid, 'SIGKILL')
      await this.#stage.untilWhole([victim.pid])
    })
  }

  /** `kill -9` of the Redis master; it comes back, as a replica, once its successor leads. */
  failover(): Promise<void> {
    return this.#during('failover', async () => {
      const { sentinel } = this.#stage
      const old = await sentinel.killMaster()
      const isReplaced = async () => {
        const master = await sentinel.master()
        return master !== old && String(await master.command('ROLE')).startsWith('master')
      }
      await until(isReplaced, { what: 'another master', deadlineMs: 30_000 })
      await old.restart()
      // Until then no enqueue has a replica that could confirm it.
      const isFollowed = async () =>
        /state=online/.test(String(await (await sentinel.master()).command('INFO', 'replication')))
      await until(isFollowed, { what: 'the old master follows', deadlineMs: 60_000 })
    })
  }

  async #during(what: string, make: () => Promise<void>): Promise<void> {
    const trouble: Trouble = { what, from: performance.now(), to: Number.POSITIVE_INFINITY }
    this.all.push(trouble)
    await make()
    trouble.to = performance.now()
    // Time is the subject: load between two troubles.
    await sleep(500)
  }
}
