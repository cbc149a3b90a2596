// The kit's Redis side: connections, keys, scripts, scan, and what guards repeats and leases.

export type { Sendable } from './call.ts'
export type { Command, RedisArgument, ScriptCommand } from './command.ts'
export { type AnswerOptions, RedisConnection } from './connection.ts'
export { DedicatedConnection, type DedicatedOptions } from './dedicated.ts'
export {
  AH_KIT_REDIS_BOOT,
  AH_KIT_REDIS_DOWN,
  AH_KIT_REDIS_MISSING,
  AH_KIT_REDIS_OPTION,
  AH_KIT_REDIS_REFUSED,
  AH_KIT_REDIS_TIMEOUT,
  AH_KIT_REDIS_UNCERTAIN,
} from './errors.ts'
export { KeySpace, type KeySpaceOptions, literal, prefixOptionSchema } from './keys.ts'
export { keyOnMaster, missingMasters, slotOwners } from './master-of.ts'
export { type ConnectionRole, requestDeadlineMs } from './open-client.ts'
export {
  type ConnectionRequest,
  type RedisRegistry,
  type RegisteredConnection,
  redisFor,
  redisRegistryOf,
} from './registry.ts'
export { RepeatGuard } from './repeat-guard.ts'
export { type ScanOptions, scan } from './scan.ts'
export {
  defineGuardedScript,
  defineScript,
  type GuardedScript,
  guardRecordMs,
  type Script,
  type ScriptDefinition,
} from './script.ts'
export { SharedBeat, sharedBeatLua } from './shared-beat.ts'
export {
  embeddedOptionSchema,
  type RedisClient,
  type RedisOption,
  redisOptionSchema,
  type ServerClient,
} from './target.ts'
