// Node's private API, all of it that we use: bind without listening, listen on a handle that came over IPC, and see
// the sockets of a server.
//
// Node offers no public way to any of these. The first two are what node:cluster itself is built on; all are the same in
// Node 20, 22 and 24 (there are tests that run on each):
//   net._createServerHandle(address, port, addressType)   → a bound TCP or Pipe handle, or a negative errno
//   server._handle, server._listen2(…)                     → listen(2) on a handle that the server already has
//   process._getActiveHandles(), socket.server             → the sockets that a server has accepted
//   server._connections                                → how many there are, without asking for them
//   socket._httpMessage, socket.parser.incoming            → the response that is due on a connection, the last request
import type { IncomingMessage, ServerResponse } from 'node:http'
import net, { isIPv6, type Server, Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { ListenAddress } from './types.ts'

/** A bound socket of Node's (`TCP` or `Pipe`); `child.send(message, handle)` duplicates it into the child. */
export interface NativeHandle {
  close(done?: () => void): void
  getsockname?(out: Partial<BoundName>): number
}

interface BoundName {
  address: string
  family: string
  port: number
}

interface PrivateNet {
  _createServerHandle(address: string | null, port: number, addressType: number, fd: number, flags: number): unknown
}

interface PrivateServer {
  _handle: NativeHandle | null
  _pipeName?: string
  readonly _connections: number
  _listen2(address: string, port: number, addressType: number, backlog: number, fd: undefined, flags: number): void
}

interface PrivateProcess {
  _getActiveHandles(): readonly object[]
}

interface PrivateSocket extends Socket {
  readonly server?: Server
  readonly _httpMessage?: ServerResponse | null
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null
}

const NO_PORT = -1
const NO_TYPE = -1
const NO_FD = -1

/** A bound handle and the address it really has: the port that the kernel chose, 0.0.0.0 where there is no IPv6. */
export interface Bound {
  readonly handle: NativeHandle
  readonly address: ListenAddress
}

/** Binds and does not listen. Throws an error with `code` as listen() would: EADDRINUSE, EACCES, EADDRNOTAVAIL … */
export function bind(address: ListenAddress): Bound {
  const create = (net as unknown as PrivateNet)._createServerHandle
  if (address.kind === 'unix') {
    return { handle: checked(create(address.path, NO_PORT, NO_TYPE, NO_FD, 0), address), address }
  }
  // Without an address Node binds :: and falls back to 0.0.0.0.
  const host = address.host === '::' ? null : address.host
  const handle = checked(create(host, address.port, isIPv6(address.host) ? 6 : 4, NO_FD, 0), address)
  const name: Partial<BoundName> = {}
  // libuv keeps EADDRINUSE of bind(2) back; it comes out here.
  const status = handle.getsockname?.(name) ?? 0
  if (status !== 0) {
    handle.close()
    throw systemError(status, address)
  }
  return { handle, address: { kind: 'tcp', host: name.address ?? address.host, port: name.port ?? address.port } }
}

/**
 * Makes the next `server.listen(…)`, whatever its arguments, listen on `handle`: so Fastify's own `listen` with its
 * hooks, and any kind of net.Server (http, https, http2) that the app's options make, work as they are.
 */
export function adopt(server: Server, handle: NativeHandle, address: ListenAddress, backlog: number): void {
  const inner = server as unknown as PrivateServer
  const ownListen = server.listen
  let isAdopted = false
  const listen = (...args: unknown[]): Server => {
    if (isAdopted) return Reflect.apply(ownListen, server, args) as Server
    isAdopted = true
    const done = args.at(-1)
    if (typeof done === 'function') server.once('listening', done as () => void)
    // What server.address() answers for a unix socket.
    if (address.kind === 'unix') inner._pipeName = address.path
    resume(server, handle, address, backlog)
    return server
  }
  // It stays: to delete a property of the server would make every later access to it slow, several in each request.
  server.listen = listen as Server['listen']
}

/** Lets go of the listening socket, which others hold too; connections and the server stay as they are. */
export function letGo(server: Server): void {
  const inner = server as unknown as PrivateServer
  inner._handle?.close()
  inner._handle = null
}

/** Listens again on another hold of the same socket. */
export function resume(server: Server, handle: NativeHandle, address: ListenAddress, backlog: number): void {
  const inner = server as unknown as PrivateServer
  inner._handle = handle
  if (address.kind === 'unix') inner._listen2(address.path, NO_PORT, NO_TYPE, backlog, undefined, 0)
  else inner._listen2(address.host, address.port, isIPv6(address.host) ? 6 : 4, backlog, undefined, 0)
}

/**
 * The open sockets that `server` has accepted; under TLS those that carry the encrypted bytes. Asked of Node when it
 * matters, since to keep books of them costs a server of single-request connections a twentieth of its speed.
 */
export function acceptedSockets(server: Server): readonly Socket[] {
  const handles = (process as unknown as PrivateProcess)._getActiveHandles()
  return handles.filter((handle) => handle instanceof Socket && (handle as PrivateSocket).server === server) as Socket[]
}

/** How many connections `server` has open. */
export function connectionCount(server: Server): number {
  return (server as unknown as PrivateServer)._connections
}

/** What an HTTP/1 connection is to answer next, and whether that is the last request that has come on it. */
export function responseDue(socket: Socket): { response: ServerResponse; isLast: boolean } | undefined {
  const { _httpMessage: response, parser } = socket as PrivateSocket
  if (!response) return undefined
  const last = parser?.incoming
  return { response, isLast: !last || last === response.req }
}

function checked(made: unknown, address: ListenAddress): NativeHandle {
  if (typeof made === 'number') throw systemError(made, address)
  return made as NativeHandle
}

function systemError(status: number, address: ListenAddress): NodeJS.ErrnoException {
  const code = getSystemErrorName(status)
  const where = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`
  return Object.assign(new Error(`bind ${code} ${where}`), { code, errno: status, syscall: 'bind' })
}
