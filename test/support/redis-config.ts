// Owns redis.conf of the servers that the suites start.
import { join } from 'node:path'
import type { Certificates } from './tls.ts'

/** How the server is started. Without options: memory only, no password, a free port on 127.0.0.1. */
export interface RedisServerOptions {
  /** More command line arguments, for example `['--sentinel']`. */
  args?: string[]
  /** Lines of redis.conf: key and the rest of the line. Several lines of one key: an array. */
  config?: Record<string, string | string[]>
  /** Default: a free one. */
  port?: number
  /** Listens on {@link RedisServer.socketPath} too. */
  unixSocket?: boolean
  /** Every write is on the disk before it is answered, so that kill and restart lose nothing. */
  appendfsyncAlways?: boolean
  /** Password of the default user. */
  password?: string
  /** TLS only, with a self-signed certificate whose CA is {@link RedisServer.ca}. */
  tls?: boolean
}

export const REDIS_HOST = '127.0.0.1'

/** Where a server listens and keeps its files. */
export interface RedisPlace {
  dir: string
  port: number
  certificates: Certificates | undefined
}

export function socketPathIn(dir: string): string {
  return join(dir, 'redis.sock')
}

/** The file's text; what `options.config` says wins. */
export function redisConfig(options: RedisServerOptions, { dir, port, certificates }: RedisPlace): string {
  const { appendfsyncAlways, password, unixSocket, config } = options
  const lines: Record<string, string | string[]> = {
    bind: REDIS_HOST,
    daemonize: 'no',
    dir,
    save: '""',
    ...(certificates ? tlsLines(port, certificates) : { port: String(port) }),
    ...(appendfsyncAlways ? { appendonly: 'yes', appendfsync: 'always' } : {}),
    ...(password === undefined ? {} : { requirepass: JSON.stringify(password) }),
    ...(unixSocket ? { unixsocket: socketPathIn(dir), unixsocketperm: '777' } : {}),
    ...config,
  }
  return Object.entries(lines)
    .flatMap(([key, value]) => [value].flat().map((one) => `${key} ${one}\n`))
    .join('')
}

function tlsLines(port: number, certificates: Certificates): Record<string, string> {
  return {
    port: '0',
    'tls-port': String(port),
    'tls-cert-file': certificates.certFile,
    'tls-key-file': certificates.keyFile,
    'tls-ca-cert-file': certificates.caFile,
    'tls-auth-clients': 'no',
  }
}
