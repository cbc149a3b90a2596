// This node in Redis: its lease, and the rooms in which it may have members.
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { RoomKeys } from '../keys.ts'
import { beatNode } from '../scripts/beat-node.ts'
import { buryNodes } from '../scripts/bury-nodes.ts'
import { enterNode } from '../scripts/enter-node.ts'

/** What it works with. */
export interface NodeIndexOptions {
  readonly connection: RedisConnection
  readonly keys: RoomKeys
  /** Of this app in this process: begins with the boot id. */
  readonly id: string
  readonly leaseMs: number
}

// Whose members are taken out at one beat.
const mostDead = 100

/**
 * A node that was taken for dead begins again under another id: whoever still takes out members of the old one does not
 * meet those of the new.
 */
export class NodeIndex {
  readonly #options: NodeIndexOptions
  #lives = 0

  constructor(options: NodeIndexOptions) {
    this.#options = options
  }

  get id(): string {
    const { id } = this.#options
    return this.#lives === 0 ? id : `${id}~${this.#lives}`
  }

  /** What the details of each member of a node begin with. */
  markOf(node: string): string {
    return `{"node":${JSON.stringify(node)},`
  }

  async enter(): Promise<void> {
    const { connection, keys, leaseMs } = this.#options
    await connection.run(enterNode, [keys.leases, keys.beat], [this.id, leaseMs])
  }

  /** Under a new id from now on. */
  async enterAnew(): Promise<void> {
    this.#lives += 1
    await this.enter()
  }

  /** Its members bear the new id by now: what was written under the old one meanwhile is nobody's. */
  async buryFormerSelf(): Promise<void> {
    const { connection, keys, id } = this.#options
    const former = this.#lives === 1 ? id : `${id}~${this.#lives - 1}`
    await connection.write('SADD', [keys.graves, former])
  }

  /** Whether this node is still known, and which nodes are dead. */
  async beat(): Promise<{ readonly isKnown: boolean; readonly dead: readonly string[] }> {
    const { connection, keys, leaseMs } = this.#options
    const names = [keys.leases, keys.graves, keys.beat]
    const known = await connection.run<number>(beatNode, names, [this.id, leaseMs])
    // By any of them, so that nodes which come by at once do not all begin with the same. Beside the script: the embedded
    // store lets no script ask for what is random.
    const dead = await connection.read<string[]>('SRANDMEMBER', [keys.graves, mostDead])
    return { isKnown: known === 1, dead }
  }

  async add(room: string): Promise<void> {
    const { connection, keys } = this.#options
    await connection.write('SADD', [keys.roomsOf(this.id), room])
  }

  async remove(room: string): Promise<void> {
    const { connection, keys } = this.#options
    await connection.write('SREM', [keys.roomsOf(this.id), room])
  }

  /** The rooms in which another may have members. */
  async roomsOf(node: string): Promise<string[]> {
    const { connection, keys } = this.#options
    return connection.read<string[]>('SMEMBERS', [keys.roomsOf(node)])
  }

  /** A process is known to be dead. */
  async bury(bootId: string): Promise<void> {
    const { connection, keys } = this.#options
    await connection.run(buryNodes, [keys.leases, keys.graves], [bootId])
  }

  /** Nothing is left of that one. */
  async forget(node: string): Promise<void> {
    const { connection, keys } = this.#options
    await connection.write('DEL', [keys.roomsOf(node)])
    await connection.write('SREM', [keys.graves, node])
  }

  /** This node leaves, and has no members any more. */
  async leave(): Promise<void> {
    const { connection, keys } = this.#options
    await connection.write('DEL', [keys.roomsOf(this.id)])
    await connection.write('ZREM', [keys.leases, this.id])
  }
}
