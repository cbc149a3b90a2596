// The address by which other machines know this one.
import { networkInterfaces } from 'node:os'

/** The first IPv4 address that is not the loopback's, as ActionHero names a single process; else 127.0.0.1. */
export function externalAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
