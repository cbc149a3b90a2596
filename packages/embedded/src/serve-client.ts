// One client's connection from its first byte to its last.

import type { Socket } from 'node:net'
import {
  ClientSession,
  type CommandExecutor,
  createDefaultParkHandler,
  type ParkHandler,
  type RedisServerState,
  Resp2SessionAdapter,
} from 'js-redis-server/core'
import { ClientTransport } from './client-transport.ts'

/** What all clients of a store share. */
export interface Engine {
  readonly state: RedisServerState
  readonly executor: CommandExecutor
  /** Where CLIENT LIST says that clients come from. */
  readonly path: string
}

/** Answers this client until it is gone. Never rejects. */
export async function serveClient(socket: Socket, { state, executor, path }: Engine): Promise<void> {
  const transport = new ClientTransport(path, socket)
  const session = new ClientSession({
    server: state,
    executor,
    clientAddress: `${path}:0`,
    closeConnection: () => transport.close(),
    park: whileConnected(transport),
  })
  try {
    await new Resp2SessionAdapter({ transport, session, logger: { error: warn } }).run()
  } catch (error) {
    warn(error)
  } finally {
    transport.close()
  }
}

/** A blocked command ends with its client: what it would have taken stays for others. */
function whileConnected(transport: ClientTransport): ParkHandler {
  const park = createDefaultParkHandler()
  return async (request) => {
    try {
      return await park({ ...request, signal: transport.left })
    } catch (error) {
      transport.close()
      throw error
    }
  }
}

/** An error inside js-redis-server: the client gets "internal server error", the reason is told here. */
function warn(error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.emitWarning(`a command failed inside the embedded store: ${reason}`, { code: 'AH_EMBEDDED_COMMAND' })
}
