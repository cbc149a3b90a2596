// Calls between nodes: asked on the channel of a node, or on that of all; answered on that of the caller.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { type Carrier, toError } from 'fastify-ah-kit'
import { errorToSend, receivedError, type SentError } from './call-error.ts'
import { type CallHandlers, checkCallName } from './call-handlers.ts'
import type { Control } from './control.ts'
import { AH_PUBSUB_NO_HANDLER, AH_PUBSUB_NODE_GONE, AH_PUBSUB_NOT_ALLOWED, AH_PUBSUB_OPTIONS } from './errors.ts'
import { checkMember } from './json-text.ts'
import type { Nodes } from './nodes.ts'
import type { PendingCalls } from './pending-calls.ts'
import { SeenCalls } from './seen-calls.ts'
import { shown } from './shown.ts'
import type { CallAllOptions, CallOptions, MessageInfo, NodeAnswer } from './types.ts'

/** What it works with. */
export interface CallsOptions {
  readonly control: Control
  readonly nodes: Nodes
  readonly handlers: CallHandlers
  readonly pending: PendingCalls
  /** Id of this node. */
  readonly id: string
  readonly timeoutMs: number
  readonly log: FastifyBaseLogger
}

/** What is asked. */
interface Question {
  readonly name: string
  readonly args: unknown
  /** What it carries for those who trace. */
  readonly carrier: Carrier | undefined
  readonly ms: number
}

const everybody = '/actionhero/calls'
const longestTimeoutMs = 600_000
// Between two tries to reach a node that is on the list and does not listen.
const retryMs = 50

const channelOf = (node: string): string => `/actionhero/node/${node}`

/** Asks other nodes, and answers them. */
export class Calls {
  readonly #options: CallsOptions
  readonly #seen = new SeenCalls()

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** Hears questions and answers. */
  async listen(): Promise<void> {
    const { control, id } = this.#options
    const hear = (message: unknown, info: MessageInfo): void => this.#hear(message, info)
    await Promise.all([control.hear(channelOf(id), hear), control.hear(everybody, hear)])
  }

  async call(name: string, args: unknown, options: CallOptions = {}, carrier?: Carrier): Promise<unknown> {
    checkCallName(name)
    const ms = this.#timeoutOf(options, ['node', 'timeoutMs'])
    const node = options.node === undefined ? await this.#anyNode(name) : await this.#living(options.node, name)
    const { pending } = this.#options
    const question = { name, args, carrier, ms }
    const [answer] = await this.#ask(question, [node], (call, message, what) =>
      this.#deliver(channelOf(node), message, what, () => pending.isAwaited(call, node)),
    )
    if (answer === undefined) throw new AH_PUBSUB_NODE_GONE(node, name)
    if ('error' in answer) throw answer.error
    return answer.result
  }

  async callAll(
    name: string,
    args: unknown,
    options: CallAllOptions = {},
    carrier?: Carrier,
  ): Promise<readonly NodeAnswer<unknown>[]> {
    checkCallName(name)
    const ms = this.#timeoutOf(options, ['timeoutMs'])
    const asked = (await this.#options.nodes.list()).map(({ id }) => id)
    const answers = await this.#ask({ name, args, carrier, ms }, asked, (call, message, what) =>
      this.#deliverToAll(asked.length, call, message, what),
    )
    if (answers.length > 0 && answers.every(isNotAllowed)) {
      throw new AH_PUBSUB_NOT_ALLOWED(name, `none of the ${answers.length} live nodes has a handler of that name`)
    }
    // As listed, not as they came.
    const place = new Map(asked.map((id, index) => [id, index]))
    return [...answers].sort((a, b) => (place.get(a.node) ?? 0) - (place.get(b.node) ?? 0))
  }

  #ask(
    { name, args, carrier, ms }: Question,
    nodes: readonly string[],
    deliver: (call: number, message: object, what: string) => Promise<void>,
  ) {
    const what = `the arguments of the call of ${shown(name)}`
    return this.#options.pending.open(name, nodes, ms, async (call) => {
      checkMember(args, what)
      await deliver(call, { call, name, args, ms, ...(carrier && { carrier }) }, what)
    })
  }

  /**
   * Says it again while nobody listens there and somebody wants it: who is on the list and does not listen has lost its
   * connection, and is about to be back.
   */
  async #deliver(channel: string, message: object, what: string, isWanted: () => boolean): Promise<void> {
    const { control } = this.#options
    while ((await control.publish(channel, message, what)) === 0 && isWanted()) await sleep(retryMs)
  }

  /** Says it to all at once, and where fewer listen than are asked, to each that has not answered by then. */
  async #deliverToAll(nodes: number, call: number, message: object, what: string): Promise<void> {
    const { control, pending, log } = this.#options
    if ((await control.publish(everybody, message, what)) >= nodes) return
    // Those that listen have answered by then, as a rule; who hears it twice carries it out once.
    await sleep(retryMs)
    const late = pending.awaitedBy(call).map(async (node) => {
      try {
        await this.#deliver(channelOf(node), message, what, () => pending.isAwaited(call, node))
      } catch (thrown) {
        // The answers of the others count all the same; this one's time will be over.
        log.debug({ err: toError(thrown), node }, 'a call did not reach a node')
      }
    })
    await Promise.all(late)
  }

  /** One of the nodes that handle the name. */
  async #anyNode(name: string): Promise<string> {
    const { nodes, handlers, id } = this.#options
    // What was registered a moment ago is on no list yet.
    if (handlers.names.includes(name) && !nodes.known.some((node) => node.id !== id && node.handles.includes(name)))
      return id
    for (const look of [() => nodes.known, () => nodes.list()]) {
      const able = (await look()).filter(({ handles }) => handles.includes(name))
      const chosen = able[Math.floor(Math.random() * able.length)]
      if (chosen !== undefined) return chosen.id
    }
    throw new AH_PUBSUB_NO_HANDLER(name)
  }

  async #living(node: unknown, name: string): Promise<string> {
    const { nodes } = this.#options
    if (typeof node !== 'string' || node === '') {
      throw new AH_PUBSUB_OPTIONS(`call: option "node": expected the id of a node, got ${shown(node)}`)
    }
    if (nodes.find(node) !== undefined) return node
    if ((await nodes.list()).some(({ id }) => id === node)) return node
    throw new AH_PUBSUB_NODE_GONE(node, name)
  }

  #timeoutOf(options: CallOptions, names: readonly string[]): number {
    const unknown = Object.keys(options).find((name) => !names.includes(name))
    if (unknown !== undefined) {
      throw new AH_PUBSUB_OPTIONS(`call: unknown option ${shown(unknown)}; there are: ${names.join(', ')}`)
    }
    const { timeoutMs = this.#options.timeoutMs } = options
    if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= longestTimeoutMs) return timeoutMs
    throw new AH_PUBSUB_OPTIONS(
      `call: option "timeoutMs": expected whole ms from 1 to ${longestTimeoutMs}, got ${shown(timeoutMs)}`,
    )
  }

  #hear(message: unknown, { from }: MessageInfo): void {
    const { pending } = this.#options
    const said = (typeof message === 'object' && message !== null ? message : {}) as Record<string, unknown>
    if ('reply' in said) {
      const answer = 'error' in said ? { error: receivedError(said['error'], from) } : { result: said['result'] }
      pending.settle(said['reply'], { node: from, ...answer })
      return
    }
    if (Number.isSafeInteger(said['call'])) {
      this.#answer(said['call'] as number, said, from).catch((err: unknown) => {
        this.#options.log.warn({ err, node: from }, 'the answer to a call could not be sent')
      })
    }
  }

  async #answer(reply: number, question: Record<string, unknown>, from: string): Promise<void> {
    const { name, ms } = question
    const { handlers } = this.#options
    const waits = typeof ms === 'number' && ms >= 1 && ms <= longestTimeoutMs ? ms : this.#options.timeoutMs
    if (!this.#seen.isFirst(from, reply, waits)) return
    const info = new Asked(from, waits)
    const what = `the answer to the call of ${shown(name)}`
    const isWanted = (): boolean => !info.isOver
    let error: SentError
    try {
      const result = await handlers.run(question, info, waits)
      checkMember(result, what)
      await this.#deliver(channelOf(from), { reply, result }, what, isWanted)
      return
    } catch (thrown) {
      error = errorToSend(thrown)
    }
    // Also where the result cannot be sent: a cycle, say. Where Redis is away this fails too, and the caller times out.
    await this.#deliver(channelOf(from), { reply, error }, what, isWanted)
  }
}

/** Of the caller; makes the signal only for who asks. */
class Asked {
  readonly from: string
  readonly #endsAt: number
  #signal: AbortSignal | undefined

  constructor(from: string, ms: number) {
    this.from = from
    this.#endsAt = performance.now() + ms
  }

  /** The caller waits no longer. */
  get isOver(): boolean {
    return performance.now() > this.#endsAt
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.timeout(Math.max(0, Math.round(this.#endsAt - performance.now())))
    return this.#signal
  }
}

function isNotAllowed(answer: NodeAnswer<unknown>): boolean {
  return 'error' in answer && (answer.error as { code?: unknown }).code === 'AH_PUBSUB_NOT_ALLOWED'
}
