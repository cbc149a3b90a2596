// The package's exports.
export { AH_FAYE_OPTIONS, AH_FAYE_PUBSUB } from './errors.ts'
export { type FayeOptions, options, type ParsedFayeOptions } from './options.ts'
export { default, fastifyAhFaye, fastifyAhFaye as 'module.exports' } from './plugin.ts'
export type {
  FayeAnswer,
  FayeAuthorize,
  FayePublishQuestion,
  FayeQuestion,
  FayeRequest,
  FayeSubscribeQuestion,
} from './types.ts'
