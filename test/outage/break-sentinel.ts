// Breaks the master that Sentinels watch.
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisSentinel, type RedisServer, until } from 'fastify-ah-test-support'
import type { Broken, Extent, Fault } from './faults.ts'

const failoverWithinMs = 30_000

export async function breakSentinel(sentinel: RedisSentinel, fault: Fault, { rounds }: Extent): Promise<Broken> {
  const began = performance.now()
  const over = async (heal: () => Promise<void> = async () => undefined) => ({ began, back: performance.now(), heal })
  switch (fault) {
    case 'killed': {
      const old = await sentinel.killMaster()
      await untilReplaced(sentinel, old)
      return over(async () => {
        await old.restart()
        await untilReplica(old)
      })
    }
    case 'frozen': {
      const old = await sentinel.pauseMaster()
      await untilReplaced(sentinel, old)
      return over(async () => {
        old.resume()
        await untilReplica(old)
      })
    }
    case 'demoted':
      await sentinel.demoteMaster()
      return over()
    case 'restarted': {
      const master = await sentinel.master()
      await master.restart()
      await until(async () => (await roleOf(await sentinel.master())) === 'master', { deadlineMs: failoverWithinMs })
      return over()
    }
    case 'failover in a loop':
      for (let round = 0; round < rounds; round += 1) {
        await sentinel.demoteMaster()
        // Time is the subject: work begins to go on, and is met again.
        await sleep(500)
      }
      return over()
    default:
      throw new Error(`Sentinel cannot be broken by: ${fault}`)
  }
}

async function roleOf(server: RedisServer): Promise<string> {
  return String(((await server.command('ROLE')) as unknown[])[0])
}

async function untilReplaced(sentinel: RedisSentinel, old: RedisServer): Promise<void> {
  const isReplaced = async () => {
    const master = await sentinel.master()
    return master !== old && (await roleOf(master)) === 'master'
  }
  await until(isReplaced, { what: 'another master leads', deadlineMs: failoverWithinMs })
}

/** It believes to be the master until the Sentinels tell it, which they do after ten seconds. */
async function untilReplica(old: RedisServer): Promise<void> {
  await until(async () => (await roleOf(old)) === 'slave', { what: 'the old master follows', deadlineMs: 60_000 })
}
