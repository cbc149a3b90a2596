// The package's exports, and what it adds to Fastify's types.
import type { Rooms } from './rooms.ts'

export {
  AH_ROOMS_ACTION,
  AH_ROOMS_CLOSED,
  AH_ROOMS_EXISTS,
  AH_ROOMS_FILE,
  AH_ROOMS_FORBIDDEN,
  AH_ROOMS_MEMBER,
  AH_ROOMS_MESSAGE,
  AH_ROOMS_MIDDLEWARE,
  AH_ROOMS_NAME,
  AH_ROOMS_NO_CONNECTION,
  AH_ROOMS_NO_MEMBER,
  AH_ROOMS_NOT_FOUND,
  AH_ROOMS_OPTIONS,
  AH_ROOMS_PUBSUB,
  AH_ROOMS_TOO_MANY,
  AH_ROOMS_VERB,
} from './errors.ts'
export { options, type ParsedRoomsOptions, type RoomsOptions } from './options.ts'
export { default, fastifyAhRooms, fastifyAhRooms as 'module.exports', type RoomsRegistry } from './plugin.ts'
export type { Rooms } from './rooms.ts'
export type {
  Authorize,
  ConnectRequest,
  DisconnectOptions,
  EventAnswer,
  EventHandler,
  Identified,
  InjectedClient,
  InjectOptions,
  MemberDetails,
  MembershipChange,
  Receivers,
  RoomConnection,
  RoomMessage,
  RoomMiddleware,
  RoomStatus,
  RoomsEvents,
  RoomsStats,
  Target,
} from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Rooms, their members, and what is said in them, of `fastify-ah-rooms`. */
    rooms: Rooms
  }
  interface FastifyContextConfig {
    /** The name under which clients of the rooms may call this route. */
    action?: string
    /** Over what it may be called; without it over both. */
    servers?: readonly ('web' | 'websocket')[]
    /** False: clients are not told of it by `documentation`. */
    toDocument?: boolean
  }
}
