// The live nodes: this one's lease, the others as Redis lists them, and who came and went.
import type { FastifyBaseLogger } from 'fastify'
import { isInstanceOf, Loop, within } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { Control } from './control.ts'
import type { Events } from './events.ts'
import type { PubSubKeys } from './keys.ts'
import { readNode } from './node-record.ts'
import type { RedisClock } from './redis-clock.ts'
import { beatNode } from './scripts/beat-node.ts'
import { dropNodes } from './scripts/drop-nodes.ts'
import { listNodes } from './scripts/list-nodes.ts'
import type { NodeInfo } from './types.ts'

/** What it works with. */
export interface NodesOptions {
  readonly connection: RedisConnection
  readonly keys: PubSubKeys
  readonly control: Control
  readonly clock: RedisClock
  readonly events: Events
  readonly log: FastifyBaseLogger
  readonly leaseMs: number
  /** Of now: what it handles changes. */
  readonly self: () => NodeInfo
}

const channel = '/actionhero/nodes'
// The list of a cluster that is gone for so long says nothing.
const keepMs = 86_400_000
// How long closing may take.
const leaveMs = 1_000
// How long an answer that was on its way may still name a node that is known to have left.
const echoMs = 2_000

/**
 * Redis' list is the truth: read at each sign of life, when somebody says that it has changed, and for `nodes()`. A node
 * that is missing there has left, unless no lease may end just now (Redis was away, perhaps with all it knew): then who
 * was known stays known.
 */
export class Nodes {
  readonly #options: NodesOptions
  readonly #known = new Map<string, NodeInfo>()
  /** Who has left, and until when (on the monotonic clock) nobody brings them back. */
  readonly #left = new Map<string, number>()
  readonly #loop: Loop
  #isRead = false
  #isRegistered = false
  /** Others hold this node to be dead, and are to hear that it lives. */
  #isMourned = false

  constructor(options: NodesOptions) {
    this.#options = options
    this.#loop = new Loop({
      name: 'sign of life of this node',
      step: () => this.#beat(),
      // Else the others, back a little earlier, would hold this node to be dead.
      maxBackoffMs: Math.max(100, options.leaseMs / 3),
      onError: (err) => options.log.warn({ err }, 'this node could not show a sign of life'),
    })
  }

  /** Hears of others. */
  async listen(): Promise<void> {
    await this.#options.control.hear(channel, (news) => this.#hear(news))
  }

  /** Puts this node on the list, and keeps it there. */
  async register(): Promise<void> {
    this.#isRegistered = true
    await this.#beat()
    this.#loop.start()
  }

  /** The node as it was last heard of. */
  find(id: string): NodeInfo | undefined {
    return this.#known.get(id)
  }

  /** All of them, as they were last heard of. */
  get known(): readonly NodeInfo[] {
    return [...this.#known.values()]
  }

  /** Shows a sign of life now: what this node says of itself has changed, or Redis is back. */
  hurry(): void {
    if (this.#isRegistered) this.#loop.wake()
  }

  /** Asks Redis. */
  async list(): Promise<readonly NodeInfo[]> {
    const { connection, leaseMs } = this.#options
    const [mayEnd, records] = await connection.run<[number, string[]]>(listNodes, this.#keys, [leaseMs])
    this.#take(records, mayEnd === 1)
    return this.known
  }

  /** The manager has seen a process die: its nodes are gone now, not at the end of their lease. */
  async drop(bootId: string): Promise<void> {
    const ids = [...this.#known.keys()].filter((id) => isInstanceOf(bootId, id))
    this.#forget(ids)
    const dropped = await this.#drop(bootId, false)
    if (dropped.length > 0) await this.#tell('left', dropped)
  }

  /** Takes this node off the list, in two seconds at most. */
  async leave(): Promise<void> {
    const { connection, self, log } = this.#options
    // With Redis silent the step in hand takes its time.
    await within(leaveMs, this.#loop.stop(), () => undefined)
    if (!this.#isRegistered || connection.client.status !== 'ready') return
    this.#isRegistered = false
    const { id } = self()
    const left = this.#drop(id, true).then(() => this.#tell('left', [id]))
    // Its lease ends by itself.
    const settled = left.catch((err: unknown) => log.warn({ err }, 'this node could not say that it leaves'))
    await within(leaveMs, settled, () => undefined)
  }

  get #keys(): readonly string[] {
    const { nodeList, nodeLeases, nodeBeat } = this.#options.keys
    return [nodeList, nodeLeases, nodeBeat]
  }

  async #beat(): Promise<number> {
    const { connection, clock, leaseMs, self } = this.#options
    const sentAt = performance.now()
    const node = self()
    const args = [node.id, JSON.stringify(node), leaseMs, keepMs]
    type Answer = [now: number, wasKnown: number, mayEnd: number, gone: (string | null)[], records: string[]]
    const [now, wasKnown, mayEnd, gone, records] = await connection.run<Answer>(beatNode, this.#keys, args)
    clock.note(now, sentAt)
    this.#take(records, mayEnd === 1)
    const left = gone.flatMap((record) => (record === null ? [] : (readNode(record)?.id ?? [])))
    if (left.length > 0) await this.#tell('left', left)
    if (wasKnown === 0 || this.#isMourned) {
      this.#isMourned = false
      await this.#tell('joined', [node.id])
    }
    return leaseMs / 3
  }

  async #drop(bootId: string, isOnlyThis: boolean): Promise<string[]> {
    const { connection, keys } = this.#options
    return connection.run(dropNodes, [keys.nodeList, keys.nodeLeases], [bootId, isOnlyThis ? '1' : ''])
  }

  async #tell(what: 'joined' | 'left', ids: readonly string[]): Promise<void> {
    await this.#options.control.publish(channel, { [what]: ids })
  }

  async #hear(news: unknown): Promise<void> {
    const { left, joined } = (news ?? {}) as { left?: unknown; joined?: unknown }
    if (Array.isArray(left)) this.#hearOfDeaths(left)
    if (!Array.isArray(joined)) return
    // Said behind the news that it left: it was held to be dead, and lives.
    for (const id of joined) this.#left.delete(id)
    if (joined.some((id) => !this.#known.has(id))) await this.list()
  }

  #hearOfDeaths(ids: readonly unknown[]): void {
    this.#forget(ids)
    if (!ids.includes(this.#options.self().id)) return
    this.#isMourned = true
    this.hurry()
  }

  #take(records: readonly string[], mayEnd: boolean): void {
    const { events, self } = this.#options
    const ownId = self().id
    const now = performance.now()
    for (const [id, until] of this.#left) if (until < now) this.#left.delete(id)
    const listed = new Set<string>()
    for (const record of records) {
      const node = readNode(record)
      if (node === undefined || this.#left.has(node.id)) continue
      listed.add(node.id)
      const isNew = !this.#known.has(node.id)
      this.#known.set(node.id, node)
      if (isNew && this.#isRead && node.id !== ownId) events.emit('nodeJoined', node)
    }
    this.#isRead = true
    if (mayEnd) this.#forget([...this.#known.keys()].filter((id) => !listed.has(id)))
  }

  #forget(ids: readonly unknown[]): void {
    const { events, self } = this.#options
    const ownId = self().id
    for (const id of ids) {
      const node = this.#known.get(id as string)
      // Whoever holds us to be dead hears otherwise, see #hearOfDeaths.
      if (node === undefined || node.id === ownId) continue
      this.#known.delete(node.id)
      this.#left.set(node.id, performance.now() + echoMs)
      events.emit('nodeLeft', node)
    }
  }
}
