// Breaks the first master of a Redis Cluster, or moves its slots.
import { setTimeout as sleep } from 'node:timers/promises'
import calculateSlot from 'cluster-key-slot'
import { type RedisCluster, type RedisServer, random, until } from 'fastify-ah-test-support'
import type { Broken, Extent, Fault } from './faults.ts'

const failoverWithinMs = 30_000
/** Slots that have no keys, since channels have none. */
const channels = ['/outage/0-0', '/outage/1-0', '/outage/2-1'].map((name) => `actionhero:pubsub:${name}`)

export async function breakCluster(cluster: RedisCluster, fault: Fault, { rounds }: Extent): Promise<Broken> {
  const began = performance.now()
  const over = async (heal: () => Promise<void> = async () => undefined) => ({ began, back: performance.now(), heal })
  switch (fault) {
    case 'killed': {
      const old = await cluster.killMaster(0)
      await untilReplaced(cluster, 0)
      return over(async () => {
        await old.restart()
        await cluster.untilOk()
      })
    }
    case 'frozen': {
      const old = cluster.nodes[0] as RedisServer
      old.pause()
      await untilReplaced(cluster, 0)
      return over(async () => {
        old.resume()
        await cluster.untilOk()
      })
    }
    case 'demoted':
      await failOver(cluster)
      return over()
    case 'restarted':
      await (cluster.nodes[0] as RedisServer).restart()
      await cluster.untilOk()
      return over()
    case 'slot migration':
      await moveSlots(cluster, rounds * 4)
      return over()
    case 'failover in a loop':
      for (let round = 0; round < rounds; round += 1) {
        await failOver(cluster)
        // Time is the subject: work begins to go on, and is met again.
        await sleep(500)
      }
      return over()
    default:
      throw new Error(`Redis Cluster cannot be broken by: ${fault}`)
  }
}

/** Every living node but the old owner itself says that another has its slots, and that the cluster is whole. */
async function untilReplaced(cluster: RedisCluster, old: number, deadlineMs = failoverWithinMs): Promise<void> {
  const port = cluster.nodes[old]?.port
  const others = cluster.nodes.filter((node, i) => i !== old && node.isRunning)
  const isReplaced = async () => {
    const views = await Promise.all(others.map((node) => viewOf(node)))
    return views.every(({ ownerOfFirst, isOk }) => isOk && ownerOfFirst !== port)
  }
  await until(isReplaced, { what: 'another node has the slots', deadlineMs })
}

async function viewOf(node: RedisServer): Promise<{ ownerOfFirst: number | undefined; isOk: boolean }> {
  const ranges = (await node.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
  const info = String(await node.command('CLUSTER', 'INFO'))
  const first = ranges.find(([start]) => start === 0)
  return { ownerOfFirst: first?.[2][1], isOk: info.includes('cluster_state:ok') }
}

/** The replica of whoever has the first slots takes over, by agreement: nothing is lost. */
async function failOver(cluster: RedisCluster): Promise<void> {
  const owner = await cluster.ownerOf(0)
  const next = cluster.nodes[owner === 0 ? 3 : 0] as RedisServer
  // Redis gives up an agreed failover after 5 s, and one that is not in step yet refuses: then it is asked again.
  const isDone = async () => {
    await next.command('CLUSTER', 'FAILOVER')
    await untilReplaced(cluster, owner, 6_000)
    return true
  }
  await until(isDone, { what: 'the replica takes over', deadlineMs: failoverWithinMs })
}

/** Slots that hold keys or channels of the probes, each to the next master, one after the other. */
async function moveSlots(cluster: RedisCluster, count: number): Promise<void> {
  const keys = await Promise.all(cluster.nodes.slice(0, 3).map((node) => node.command('KEYS', '*')))
  const slots = new Set([...channels, ...(keys.flat() as string[])].map((key) => calculateSlot(key)))
  const shuffled = [...slots].map((slot) => [random(), slot] as const).sort(([x], [y]) => x - y)
  for (const [, slot] of shuffled.slice(0, count)) {
    const owner = await cluster.ownerOf(slot)
    await cluster.migrateSlot(slot, owner, (owner + 1) % 3)
  }
}
