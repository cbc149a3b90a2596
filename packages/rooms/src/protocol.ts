// What clients may ask, and how they are answered: ActionHero's verbs, and ours.
import type { FastifyBaseLogger } from 'fastify'
import { type FilteredParams, toError } from 'fastify-ah-kit'
import sjson from 'secure-json-parse'
import type { Actions } from './actions.ts'
import type { Broadcast } from './broadcast.ts'
import type { Connection } from './connection.ts'
import { AH_ROOMS_MESSAGE, AH_ROOMS_NO_MEMBER, AH_ROOMS_VERB } from './errors.ts'
import type { Events } from './events.ts'
import type { Files } from './files.ts'
import { idOf, type Message, messageIn, positionIn } from './incoming.ts'
import type { Membership } from './membership.ts'
import { detailsOf, errorReply, type Reply } from './outgoing.ts'
import type { Joined } from './position.ts'
import { resume } from './resume.ts'
import { roomName } from './room-name.ts'
import { shown } from './shown.ts'
import { type RoomsTrace, traced, traces } from './traces.ts'
import type { RoomStatus } from './types.ts'

/** What it works with. */
export interface ProtocolOptions {
  readonly membership: Membership
  readonly broadcast: Broadcast
  readonly actions: Actions
  readonly events: Events
  readonly files: Files
  readonly roomStatus: (room: string) => Promise<RoomStatus>
  readonly maxRooms: number
  readonly maxPendingActions: number
  /** What the log does not show. */
  readonly filtered: FilteredParams
  readonly log: FastifyBaseLogger
}

// Of a connection, in handlers of the app: without end for one that waits for something.
const mostPendingEvents = 64

/** Answers the reply; or undefined, where it has sent one by itself; or what to wait for while the next is taken. */
type Verb = (
  connection: Connection,
  message: Message,
  reply: (body: Reply) => void,
) => Promise<Reply | undefined | (() => Promise<Reply>)>

/** Each connection's messages are taken one after the other. Nothing that a client sends makes it throw. */
export class Protocol {
  readonly #options: ProtocolOptions
  readonly #verbs: ReadonlyMap<unknown, Verb>

  constructor(options: ProtocolOptions) {
    this.#options = options
    this.#verbs = new Map<string, Verb>([
      ['roomAdd', (connection, message, reply) => this.#roomAdd(connection, message, reply)],
      ['roomLeave', (connection, message) => this.#roomLeave(connection, message)],
      ['roomView', (connection, message) => this.#roomView(connection, message)],
      ['resume', (connection, message) => this.#resume(connection, message)],
      ['say', (connection, message) => this.#say(connection, message)],
      ['emit', (connection, message) => this.#emit(connection, message)],
      ['ack', (connection, message) => this.#ack(connection, message)],
      ['action', (connection, message) => this.#action(connection, message)],
      ['file', (connection, message) => this.#file(connection, message)],
      ['documentation', async () => ({ data: this.#options.actions.documentation() })],
      ['detailsView', async (connection) => ({ data: detailsOf(connection) })],
      ['quit', quit],
      ['exit', quit],
    ])
  }

  /** A text of a client. Resolves when it was taken and, unless more than one is under way, answered. Never rejects. */
  hear(connection: Connection, text: string): Promise<void> {
    connection.turn = connection.turn.then(() => this.#take(connection, text))
    return connection.turn
  }

  /** It sends too much: nothing of this one is done, but whoever waits for the answer hears so. */
  refuse(connection: Connection, text: string): void {
    const { messageId } = (sjson.safeParse(text) ?? {}) as { messageId?: unknown }
    connection.reply(errorReply(new AH_ROOMS_MESSAGE('too many messages: slow down'), idOf(messageId)))
  }

  async #take(connection: Connection, text: string): Promise<void> {
    // What it has said before it was thrown out, and had not come to its turn, is not said.
    if (connection.isClosed || connection.isLeaving) return
    let messageId: unknown
    let event: unknown
    const reply = (body: Reply): void => connection.reply({ ...body, context: 'response', messageId })
    try {
      const message = messageIn(text)
      messageId = idOf(message['messageId'])
      event = message['event']
      const verb = this.#verbs.get(event)
      if (verb === undefined) throw new AH_ROOMS_VERB(`there is no such verb: ${shown(event)}`)
      this.#note(connection, message)
      const answer = await verb(connection, message, reply)
      if (typeof answer !== 'function') {
        if (answer !== undefined) reply({ status: 'OK', ...answer })
        return
      }
      const answered = answer()
        .then((later) => reply({ status: 'OK', ...later }))
        // Also of an answer that JSON cannot hold.
        .catch((thrown: unknown) => this.#fail(connection, thrown, messageId, event))
      connection.owe(answered)
    } catch (thrown) {
      this.#fail(connection, thrown, messageId, event)
    }
  }

  #note(connection: Connection, { event: verb, messageId: _, ...said }: Message): void {
    const { log, filtered } = this.#options
    // Nothing is put together for a line that nobody would see.
    const { isLevelEnabled } = log as { isLevelEnabled?: (level: string) => boolean }
    if (isLevelEnabled?.call(log, 'debug') === false) return
    log.debug({ connection: connection.id, verb, message: filtered.shown(said) }, 'a client says')
  }

  #fail(connection: Connection, thrown: unknown, messageId: unknown, verb: unknown): void {
    const error = toError(thrown) as Error & { statusCode?: number; code?: unknown }
    const { log } = this.#options
    // A hook of the app that throws means to be heard by the client; its mistakes are for who runs it.
    if (isMistake(error)) log.error({ err: error, connection: connection.id }, 'a hook of the app failed')
    else if (isOurs(error) && (error.statusCode ?? 500) >= 500) log.warn({ err: error }, 'a verb of a client failed')
    else log.debug({ err: error, connection: connection.id }, 'a client was refused')
    connection.reply(errorReply(error, messageId, verb))
  }

  async #roomAdd(connection: Connection, message: Message, reply: (body: Reply) => void): Promise<undefined> {
    const heard = positionIn(message['heard'])
    const onJoined = (joined: Joined): void => reply({ status: 'OK', data: true, ...joined })
    await this.#options.membership.join(connection, roomName(message['room']), {
      onJoined,
      ...(heard === undefined ? {} : { heard }),
    })
  }

  async #roomLeave(connection: Connection, { room }: Message): Promise<Reply> {
    await this.#options.membership.leave(connection, roomName(room))
    return { data: true }
  }

  async #roomView(connection: Connection, message: Message): Promise<Reply> {
    const room = roomName(message['room'])
    if (!connection.memberOf.has(room)) throw new AH_ROOMS_NO_MEMBER(room)
    return { data: await this.#options.roomStatus(room) }
  }

  async #resume(connection: Connection, { rooms }: Message): Promise<Reply> {
    return { data: await resume(this.#options, connection, rooms) }
  }

  async #say(connection: Connection, { room, message }: Message): Promise<() => Promise<Reply>> {
    const say = await this.#options.broadcast.prepare(connection, roomName(room), message)
    return async () => ({ data: true, id: await say() })
  }

  async #emit(connection: Connection, { name, data }: Message): Promise<() => Promise<Reply>> {
    const handler = typeof name === 'string' ? this.#options.events.handlerOf(name) : undefined
    if (handler === undefined) throw new AH_ROOMS_VERB(`nobody answers the event ${shown(name)}`)
    if (connection.pendingEvents >= mostPendingEvents) throw new AH_ROOMS_MESSAGE('you have too many pending requests')
    connection.pendingEvents += 1
    const context = (): RoomsTrace => ({ connection: connection.id, event: name as string, data })
    const run = async (): Promise<unknown> => handler(data, connection)
    return async () => {
      try {
        return { data: (await traced(traces.event, context, run)) ?? null }
      } finally {
        connection.pendingEvents -= 1
      }
    }
  }

  async #ack(connection: Connection, { ackId, data }: Message): Promise<undefined> {
    // One that comes too late is nobody's business.
    connection.acknowledge(ackId, data ?? null)
  }

  /** One after the other, each when the one before was heard: a slow reader is not cut for what it asked for. */
  async #file(connection: Connection, { file }: Message): Promise<Reply> {
    await connection.drained()
    return this.#options.files.read(file)
  }

  async #action(connection: Connection, message: Message): Promise<() => Promise<Reply>> {
    const { actions, maxPendingActions } = this.#options
    if (connection.pendingActions >= maxPendingActions) {
      throw new AH_ROOMS_MESSAGE('you have too many pending requests')
    }
    connection.pendingActions += 1
    connection.totalActions += 1
    const { params } = message
    const context = (): RoomsTrace => ({ connection: connection.id, params })
    return async () => {
      try {
        const run = () => actions.run(connection, params, idOf(message['messageId']))
        return await traced(traces.action, context, run)
      } finally {
        connection.pendingActions -= 1
      }
    }
  }
}

async function quit(connection: Connection): Promise<undefined> {
  connection.disconnect()
}

function isOurs({ code }: { code?: unknown }): boolean {
  return typeof code === 'string' && code.startsWith('AH_')
}

/** What nobody throws on purpose: of the language, of the system, of a library. */
function isMistake(error: Error & { code?: unknown; statusCode?: unknown }): boolean {
  if (isOurs(error) || (typeof error.statusCode === 'number' && error.statusCode < 500)) return false
  return error.code !== undefined || /^(Type|Range|Reference|Syntax)Error$/.test(error.name)
}
