// Where to listen: from what the operator wrote to one numeric address or one absolute path.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { AH_CLUSTER_ADDRESS_INVALID, AH_CLUSTER_OPTIONS } from './errors.ts'
import type { ListenAddress } from './types.ts'

/** What the operator may write. */
export interface WantedAddress {
  readonly port?: number | string
  readonly host?: string
  readonly socket?: string
}

/**
 * Without a host: all interfaces, IPv6 and IPv4 at once, as Node itself listens (`::`; the handle falls back to
 * 0.0.0.0 where there is no IPv6). A name is bound at its first IPv4 address, else its first IPv6 one.
 */
export async function resolveAddress(wanted: WantedAddress, root: string): Promise<ListenAddress> {
  const { host, socket } = wanted
  const port = wanted.port ?? 8080
  const path = socket ?? (typeof port === 'string' ? port : undefined)
  if (path !== undefined) {
    if (host !== undefined) throw new AH_CLUSTER_OPTIONS(`a unix socket (${path}) has no host; got host "${host}"`)
    return { kind: 'unix', path: resolve(root, path) }
  }
  return { kind: 'tcp', host: host === undefined ? '::' : await numericHost(host), port: Number(port) }
}

/** The address as people read it: `http://127.0.0.1:8080`, `unix:/run/app.sock`. */
export function describeAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  if (address.host === '::' || address.host === '0.0.0.0') return `http://localhost:${address.port} (all interfaces)`
  return `http://${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`
}

async function numericHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host
  try {
    const found = await lookup(host, { all: true })
    return (found.find(({ family }) => family === 4) ?? found[0]!).address
  } catch (cause) {
    throw new AH_CLUSTER_ADDRESS_INVALID(`the host "${host}" has no address`, { cause })
  }
}
