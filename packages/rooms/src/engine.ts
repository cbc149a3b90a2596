// The parts of one registration, put together.
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { addressesOf, FilteredParams, instanceId, Origins, toError, upgradesOf, within } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { PubSub } from 'fastify-ah-pubsub'
import { Actions } from './actions.ts'
import { Broadcast } from './broadcast.ts'
import { Connections } from './connections.ts'
import { AH_ROOMS_OPTIONS, AH_ROOMS_PUBSUB } from './errors.ts'
import { Events } from './events.ts'
import { Files } from './files.ts'
import type { RoomKeys } from './keys.ts'
import { LiveRooms } from './live-rooms.ts'
import { Membership } from './membership.ts'
import { Middlewares } from './middleware.ts'
import type { ParsedRoomsOptions } from './options.ts'
import { detailsIn, Presence } from './presence.ts'
import { Protocol } from './protocol.ts'
import { Remote } from './remote.ts'
import { shown } from './shown.ts'
import { SocketRoute } from './socket/socket-route.ts'
import { NodeIndex } from './store/node-index.ts'
import { RoomStore } from './store/room-store.ts'
import type { ConnectRequest, Identified, MemberDetails, RoomStatus } from './types.ts'

/** What it is made of. */
export interface EngineOptions {
  readonly app: FastifyInstance
  readonly connection: RedisConnection
  readonly keys: RoomKeys
  readonly pubsub: PubSub
  readonly settings: ParsedRoomsOptions
}

// How long pub/sub may take to let us hear ourselves.
const echoMs = 2_000
// How long closing waits for what is under way.
const flushMs = 2_000

/** All parts know each other through here alone. */
export class Engine {
  readonly events: Events
  readonly middlewares = new Middlewares()
  readonly actions: Actions
  readonly files: Files
  readonly store: RoomStore
  readonly live: LiveRooms
  readonly membership: Membership
  readonly broadcast: Broadcast
  readonly connections: Connections
  readonly protocol: Protocol
  readonly presence: Presence
  readonly remote: Remote
  readonly sockets: SocketRoute
  readonly counts = { dropped: 0, gaps: 0 }
  readonly #options: EngineOptions
  readonly log: FastifyBaseLogger
  readonly #index: NodeIndex
  #closing: Promise<void> | undefined

  constructor(options: EngineOptions) {
    const { app, connection, keys, pubsub, settings } = options
    const { log } = app
    const { raw } = pubsub
    const { leaseMs, historySize, historyMs, authorize = {}, maxMessageBytes } = settings
    this.#options = options
    this.log = log
    this.events = new Events(log)
    const { middlewares, events } = this
    const index = new NodeIndex({ connection, keys, id: instanceId('rooms'), leaseMs })
    this.#index = index
    // What was missed leaves in one go: with more than a reader may be behind it would be cut for hearing it.
    const mostMissedBytes = settings.maxUnsentBytes
    const { publishCommand } = raw
    this.store = new RoomStore({ connection, keys, publishCommand, historySize, historyMs, mostMissedBytes })
    const { store } = this
    this.broadcast = new Broadcast({ store, middlewares, authorize, maxMessageBytes, log })
    this.live = new LiveRooms({
      store,
      raw,
      keys,
      index,
      log,
      deliver: (room, to, messages) => this.broadcast.deliver(room, to, messages),
      onGap: (room, to, position) => {
        this.counts.gaps += 1
        for (const member of to) member.reply({ context: 'api', status: 'gap', room, ...position })
      },
      onGone: (room, members) => this.membership.dismiss(room, members),
      onStrange: () => {
        this.counts.dropped += 1
      },
      onReturn: (room) => {
        this.membership.renew(room, false).catch((thrown: unknown) => {
          log.warn({ err: toError(thrown), room: room.name }, 'the members of a room could not be told to Redis again')
        })
      },
    })
    const { live } = this
    const { generateMemberDetails, maxRooms, maxPendingActions, welcomeMessage } = settings
    this.membership = new Membership({
      live,
      middlewares,
      events,
      index,
      exists: (room) => store.exists(room),
      authorize,
      generateMemberDetails,
      maxRooms,
      onFormer: () => this.presence.renew(),
      log,
    })
    const { membership, broadcast } = this
    this.connections = new Connections({ membership, events, welcomeMessage, log })
    const { connections } = this
    const filtered = new FilteredParams(settings.filteredParams)
    this.actions = new Actions(app, settings.metadata, filtered)
    const roomStatus = (room: string): Promise<RoomStatus> => this.roomStatus(room)
    // A file is read while the one before it may still be on its way.
    this.files = new Files({ folders: settings.files, maxBytes: Math.floor(settings.maxUnsentBytes / 2), log })
    const { actions, files } = this
    this.protocol = new Protocol({
      membership,
      broadcast,
      actions,
      events,
      files,
      roomStatus,
      maxRooms,
      maxPendingActions,
      filtered,
      log,
    })
    this.remote = new Remote({ pubsub, name: `rooms ${settings.decorator}`, connections, membership, live })
    const onReborn = (): Promise<void> => this.makeStartingRooms()
    this.presence = new Presence({ index, store, live, membership, events, leaseMs, onReborn, log })
    const { origins, allowMissingOrigin } = settings
    this.sockets = new SocketRoute({
      upgrades: upgradesOf(app),
      settings,
      origins: new Origins({
        listed: origins ?? [],
        isOwnHostAllowed: origins === undefined,
        isMissingAllowed: allowMissingOrigin,
      }),
      addressOf: addressesOf(app),
      identify: (request) => this.identify(request),
      connections,
      protocol: this.protocol,
      log,
    })
  }

  async start(): Promise<void> {
    await this.files.open()
    await this.#hearItself()
    await this.presence.start()
    await this.makeStartingRooms()
  }

  /** Rooms that are there from the start, also after Redis has lost them. */
  async makeStartingRooms(): Promise<void> {
    const { startingRooms } = this.#options.settings
    await Promise.all(startingRooms.map((room) => this.store.create(room)))
  }

  async identify(request: ConnectRequest): Promise<Identified | false> {
    const connect = this.#options.settings.authorize?.connect
    if (connect === undefined) return {}
    const answer: unknown = await connect(request)
    // Whoever says yes says who: nothing else lets anybody in.
    if (typeof answer !== 'object' || answer === null) {
      if (answer !== false) this.log.warn({ answer: shown(answer) }, 'authorize.connect: no { user?, data? } is no')
      return false
    }
    const { user } = answer as { user?: unknown }
    if (user === undefined || (typeof user === 'string' && user !== '')) return answer as Identified
    throw new AH_ROOMS_OPTIONS(`authorize.connect: expected a text as user, got ${shown(user)}`)
  }

  async roomStatus(room: string): Promise<RoomStatus> {
    const { sanitizeMemberDetails = shownDetails } = this.#options.settings
    const found = await this.store.members(room)
    const members = found.map(async ([id, text]) => [id, await sanitizeMemberDetails(detailsIn(text))] as const)
    return { room, members: Object.fromEntries(await Promise.all(members)), membersCount: members.length }
  }

  /** Websockets are closed and come again elsewhere; what was said is said. */
  async drain(): Promise<void> {
    await this.sockets.drain()
  }

  /** Ends in time with Redis gone. Twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.remote.close()
    this.sockets.close()
    for (const connection of this.connections.all) void this.connections.close(connection)
    const flushed = (async (): Promise<void> => {
      await this.connections.idle()
      await this.broadcast.idle()
      await this.live.idle()
    })()
    await within(flushMs, flushed, () => undefined)
    await this.presence.stop()
    // With members that Redis still knows its lease has to end by itself: then others take them out.
    if (this.membership.isOwing || this.live.size > 0) return
    const left = this.#index.leave().catch((thrown: unknown) => {
      this.log.debug({ err: toError(thrown) }, 'this node could not say that it leaves the rooms')
    })
    await within(flushMs, left, () => undefined)
  }

  /** Scripts publish on the rooms' Redis, and pub/sub listens on its own: these have to be the same. */
  async #hearItself(): Promise<void> {
    const { pubsub, keys, connection } = this.#options
    const channel = keys.channel(instanceId('rooms echo'))
    let hear: () => void = () => undefined
    const heard = new Promise<boolean>((resolve) => {
      hear = () => resolve(true)
    })
    const held = await pubsub.raw.subscribe(channel, { onBytes: () => hear(), onGap: () => undefined })
    try {
      await connection.write(pubsub.raw.publishCommand, [channel, 'echo'])
      if (await within(echoMs, heard, () => false)) return
    } finally {
      await held.unsubscribe()
    }
    throw new AH_ROOMS_PUBSUB(
      'fastify-ah-rooms: fastify-ah-pubsub does not hear what is published on the Redis of the rooms: give both the same',
    )
  }
}

function shownDetails({ id, joinedAt }: MemberDetails): MemberDetails {
  return { id, joinedAt }
}
