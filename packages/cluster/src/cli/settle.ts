// What counts: flags before the environment before the config file before the defaults.
import { hostname } from 'node:os'
import { AH_CLUSTER_USAGE } from '../errors.ts'
import type { Environment } from './environment.ts'

/** One layer of options by name. */
export type Layer = Readonly<Record<string, unknown>>

/** Merges the layers, the last wins. Throws `AH_CLUSTER_USAGE`. */
export function merge(layers: readonly Layer[]): Layer {
  return layers.reduce(over)
}

/** The name of the cluster; "hostname" stands for this machine's, as in ActionHero. */
export function titleOf(title: string | undefined): string {
  return title === undefined || title === 'hostname' ? hostname() : title
}

/** `PORT`, and ActionHero's variables that are another name for an option. */
export function actionHeroLayer({ port, title, projectRoot }: Environment): Layer {
  const isNumber = port !== undefined && /^\d+$/.test(port)
  if (port !== undefined && !isNumber && !port.includes('/')) {
    throw new AH_CLUSTER_USAGE(`PORT: expected a port from 0 to 65535, or a socket path with a "/", got "${port}"`)
  }
  return {
    ...(projectRoot === undefined ? {} : { root: projectRoot }),
    ...(title === undefined ? {} : { title }),
    ...(port === undefined ? {} : { port: isNumber ? Number(port) : port }),
  }
}

/**
 * The upper layer wins; a port or a socket there replaces both below: there is one address. So do workers and roles.
 */
function over(lower: Layer, upper: Layer): Layer {
  if (upper['port'] !== undefined && upper['socket'] !== undefined) {
    throw new AH_CLUSTER_USAGE('give either a port or a socket, not both')
  }
  const { port, socket, host, workers, roles, ...rest } = lower
  const counts = upper['workers'] !== undefined || upper['roles'] !== undefined ? {} : { workers, roles }
  const hasAddress = upper['port'] !== undefined || upper['socket'] !== undefined
  const address = hasAddress ? { host } : { port, socket, host }
  const merged = { ...rest, ...counts, ...address, ...upper }
  // A host that the environment gives for ports has no meaning for a socket that the command line asks for.
  if (upper['socket'] !== undefined && upper['host'] === undefined) merged.host = undefined
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined))
}
