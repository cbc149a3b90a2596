// What the operator wants of a start command, from the command line, the environment and the config file.
import { AH_CLUSTER_USAGE } from '../errors.ts'
import { adviceOn } from './actionhero.ts'
import type { Invocation } from './command.ts'
import { readConfigFile } from './config-file.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { type CommandLine, type Properties, readFlags, readVariables, variableOf } from './flags.ts'
import { actionHeroLayer, type Layer, merge } from './settle.ts'

const FILES = variableOf('envFile')

/** All that was wanted. */
export interface Wishes {
  /** Options by name, defaults left out. */
  readonly values: Layer
  /** With what the env files add to it. */
  readonly environment: Environment
}

/**
 * Reads them for `command` (`fastify-ah start`) and warns of what means nothing. Answers 'help' if that was asked for.
 * Throws `AH_CLUSTER_USAGE`, in the words of whoever said it: a flag, a variable, a file.
 */
export async function readWishes(
  command: string,
  properties: Properties,
  { args, environment, warn }: Invocation,
): Promise<Wishes | 'help'> {
  const flags = readFlags(command, properties, args)
  if (flags.wantsHelp) return 'help'
  const { positionals } = flags
  if (positionals.length > 1) throw new AH_CLUSTER_USAGE(`one app, got ${positionals.join(' ')}`)
  const full = withFiles(command, properties, flags, environment)
  const variables = readVariables(command, properties, full.flags)
  for (const name of variables.unknown) warn(`the variable ${name} means nothing to "${command}"`)
  if (full !== environment && full.flags[FILES] !== environment.flags[FILES]) {
    warn(`${FILES} in a file of variables is not followed: name all of them where the first is named`)
  }
  for (const line of adviceOn(full.actionHero)) warn(line)
  const config = await readConfigFile(full.root, configWish(flags.values, variables.values, full))
  const inConfig = Object.entries(config?.values ?? {}).filter(([name]) => Object.hasOwn(properties, name))
  const app = positionals[0] === undefined ? {} : { app: positionals[0] }
  const values = merge([
    { root: full.root, ...Object.fromEntries(inConfig) },
    actionHeroLayer(full),
    variables.values,
    { ...flags.values, ...app },
  ])
  const isPath = values['socket'] !== undefined || typeof values['port'] === 'string'
  if (!isPath && (values['socketMode'] !== undefined || values['socketGroup'] !== undefined)) {
    warn('a mode and a group of the socket mean nothing for a TCP port')
  }
  return { values, environment: full }
}

/** The files may be named by a flag, or by a variable that is really set: one of their own would come too late. */
function withFiles(command: string, properties: Properties, flags: CommandLine, environment: Environment): Environment {
  const { values } = readVariables(command, properties, environment.flags)
  const files = (flags.values['envFile'] ?? values['envFile'] ?? []) as readonly string[]
  return files.length === 0 ? environment : readEnvironment(files)
}

/** Which config file is named, and by what; undefined: the one that lies in the project, if one does. */
export function configWish(
  flags: Layer,
  variables: Layer,
  { actionHero: { ACTIONHERO_CONFIG } }: Environment,
): { path: string; source: string } | undefined {
  if (typeof flags['config'] === 'string') return { path: flags['config'], source: '--config' }
  if (typeof variables['config'] === 'string') return { path: variables['config'], source: 'FASTIFY_AH_CONFIG' }
  return ACTIONHERO_CONFIG === undefined ? undefined : { path: ACTIONHERO_CONFIG, source: 'ACTIONHERO_CONFIG' }
}
