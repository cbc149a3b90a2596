// What counts: flags before the environment before the defaults.
import { hostname } from 'node:os'
import { AH_CLUSTER_USAGE } from '../errors.ts'
import type { Environment } from './environment.ts'
import { type Properties, readVariables } from './flags.ts'

/** One layer of options by name. */
type Layer = Readonly<Record<string, unknown>>

/** The options that were given, defaults left out. */
export interface Settled {
  readonly values: Layer
  /** Variables with our prefix that mean nothing: worth a warning. */
  readonly unknownVariables: readonly string[]
}

/** Merges the layers. Throws `AH_CLUSTER_USAGE`. */
export function settle(command: string, properties: Properties, flags: Layer, environment: Environment): Settled {
  const variables = readVariables(command, properties, environment.flags)
  const layers = [actionHeroLayer(environment), variables.values, flags]
  return { values: layers.reduce(over), unknownVariables: variables.unknown }
}

/** The name of the cluster; "hostname" stands for this machine's, as in ActionHero. */
export function titleOf(title: string | undefined): string {
  return title === undefined || title === 'hostname' ? hostname() : title
}

function actionHeroLayer({ port, title, root }: Environment): Layer {
  const isNumber = port !== undefined && /^\d+$/.test(port)
  if (port !== undefined && !isNumber && !port.includes('/')) {
    throw new AH_CLUSTER_USAGE(`PORT: expected a port from 0 to 65535, or a socket path with a "/", got "${port}"`)
  }
  return {
    root,
    ...(title === undefined ? {} : { title }),
    ...(port === undefined ? {} : { port: isNumber ? Number(port) : port }),
  }
}

/** The upper layer wins; a port or a socket there replaces both below: there is one address. */
function over(lower: Layer, upper: Layer): Layer {
  if (upper['port'] !== undefined && upper['socket'] !== undefined) {
    throw new AH_CLUSTER_USAGE('give either a port or a socket, not both')
  }
  const { port, socket, host, ...rest } = lower
  const hasAddress = upper['port'] !== undefined || upper['socket'] !== undefined
  const address = hasAddress ? { host } : { port, socket, host }
  const merged = { ...rest, ...address, ...upper }
  // A host that the environment gives for ports has no meaning for a socket that the command line asks for.
  if (upper['socket'] !== undefined && upper['host'] === undefined) merged.host = undefined
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined))
}
