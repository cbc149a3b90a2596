// The store's coded errors; the README lists each with what to do.

import type { FastifyErrorConstructor } from '@fastify/error'
import createError from '@fastify/error'

type CodedErrorConstructor = FastifyErrorConstructor<{ code: string }, unknown[]>

/** An option is unknown or has a wrong value. */
export const AH_EMBEDDED_OPTIONS: CodedErrorConstructor = createError('AH_EMBEDDED_OPTIONS', '%s', 500)
/** The path of the socket would be too long, or ioredis could not read it. */
export const AH_EMBEDDED_PATH: CodedErrorConstructor = createError('AH_EMBEDDED_PATH', '%s', 500)
/** The store's own folder could not be made. */
export const AH_EMBEDDED_DIRECTORY: CodedErrorConstructor = createError(
  'AH_EMBEDDED_DIRECTORY',
  'the embedded store cannot make its folder in "%s" (%s): let "directory" name a folder that exists and that this user may write',
  500,
)
/** The folder is there, but listening on the socket in it failed. */
export const AH_EMBEDDED_LISTEN: CodedErrorConstructor = createError(
  'AH_EMBEDDED_LISTEN',
  'the embedded store cannot listen on "%s" (%s): let "directory" name a folder on a local disk that has unix sockets',
  500,
)
/** The WebAssembly engine that runs Lua scripts could not be loaded. */
export const AH_EMBEDDED_SCRIPTS: CodedErrorConstructor = createError(
  'AH_EMBEDDED_SCRIPTS',
  'the embedded store cannot load its Lua engine (%s): install fastify-ah-embedded again, or give a Redis',
  500,
)
