// Owns reading and changing which node of a Redis Cluster owns which slot.
import type { RedisServer } from './redis-server.ts'

export const SLOTS = 16_384

/** How a slot is moved. */
export interface SlotMove {
  /**
   * Called when half of the keys are over: both nodes then answer ASK, TRYAGAIN or data, by key. Default: nothing.
   */
  midway?: () => unknown
}

type Range = [start: number, end: number, ...nodes: [ip: string, port: number, ...rest: unknown[]][]]

/** The ports of master and replicas of the slot, as `node` sees it; empty when nobody owns it. */
export async function portsOfSlot(node: RedisServer, slot: number): Promise<number[]> {
  const ranges = (await node.command('CLUSTER', 'SLOTS')) as Range[]
  const range = ranges.find(([start, end]) => start <= slot && slot <= end)
  return range ? range.slice(2).map((owner) => (owner as Range[2])[1]) : []
}

/** Gives the `i`-th of `count` masters its even share of all slots. */
export async function giveSlots(master: RedisServer, i: number, count: number): Promise<void> {
  await master.command('CLUSTER', 'ADDSLOTSRANGE', firstSlotOf(i, count), firstSlotOf(i + 1, count) - 1)
}

/** The node's name in the cluster. */
export async function nodeId(node: RedisServer): Promise<string> {
  return String(await node.command('CLUSTER', 'MYID'))
}

/** Moves the slot with its keys, in the order that the Cluster specification asks for. */
export async function moveSlot(
  slot: number,
  from: RedisServer,
  to: RedisServer,
  options: SlotMove & { others: RedisServer[] },
): Promise<void> {
  const [fromId, toId] = [await nodeId(from), await nodeId(to)]
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
  const keys = Number(await from.command('CLUSTER', 'COUNTKEYSINSLOT', slot))
  await moveKeys(slot, from, to, Math.ceil(keys / 2))
  await options.midway?.()
  while (await moveKeys(slot, from, to, 100)) {
    // Until nothing is left: the application may add keys to the old place while this runs.
  }
  // The new owner first, so that no moment has none.
  for (const node of [to, from, ...options.others]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
}

async function moveKeys(slot: number, from: RedisServer, to: RedisServer, most: number): Promise<boolean> {
  const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, most)) as string[]
  if (keys.length > 0) await from.command('MIGRATE', to.host, to.port, '', 0, 5_000, 'KEYS', ...keys)
  return keys.length > 0
}

function firstSlotOf(i: number, count: number): number {
  return Math.floor((SLOTS * i) / count)
}
