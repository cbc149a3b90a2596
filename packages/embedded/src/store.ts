// The store: its data, its socket, and the end of both.

import { createRedisCommandExecutor } from 'js-redis-server/core'
import { ClientServer } from './client-server.ts'
import { AH_EMBEDDED_SCRIPTS } from './errors.ts'
import { indexKeys } from './key-index.ts'
import { type EmbeddedStoreOptions, parentDirectory } from './options.ts'
import { EmbeddedState } from './script-engine.ts'
import { serveClient } from './serve-client.ts'
import { makeSocketDirectory, removeAbandoned, type SocketDirectory } from './socket-directory.ts'
import { stableScan } from './stable-scan.ts'

/** A running store. */
export interface EmbeddedStore {
  /** The unix socket's absolute path. */
  readonly path: string
  /** What `new Redis(url)` of ioredis and `REDIS_URL` take: the path itself. */
  readonly url: string
  /** The private folder (mode 0700) that holds the socket; removed at close and when the process exits. */
  readonly directory: string
  /** Ends all connections and removes the folder; the data is gone. Twice is fine. */
  close(): Promise<void>
}

/** Later profiles lose messages of a connection that runs EVAL while it is subscribed. */
const COMPATIBILITY = 'redis-7.0'
/** As many as a Redis has whose configuration nobody changed. */
const DATABASES = 16

/**
 * Starts a Redis-compatible store in this process: in memory, on a unix socket that only this user can reach.
 * By itself it does not keep the process alive; a connection to it does.
 *
 * @throws AH_EMBEDDED_OPTIONS, AH_EMBEDDED_PATH, AH_EMBEDDED_DIRECTORY, AH_EMBEDDED_LISTEN, AH_EMBEDDED_SCRIPTS
 */
export async function startEmbeddedStore(options: EmbeddedStoreOptions = {}): Promise<EmbeddedStore> {
  const parent = parentDirectory(options)
  const home = makeSocketDirectory(parent)
  process.on('exit', home.remove)
  const state = new EmbeddedState({ databaseCount: DATABASES, compatibility: COMPATIBILITY })
  const indexes = state.databases.map(indexKeys)
  const policies = [stableScan(indexes)]
  const executor = createRedisCommandExecutor({ policies, compatibility: COMPATIBILITY })
  const server = new ClientServer((socket) => serveClient(socket, { state, executor, path: home.path }))
  const end = async () => {
    await server.close()
    state.close()
    home.remove()
    process.off('exit', home.remove)
  }
  try {
    await loadScripts(state)
    await server.listen(home.path)
    await clearAbandoned(parent)
  } catch (error) {
    await end()
    throw error
  }
  return storeAt(home, end)
}

function storeAt({ path, directory }: SocketDirectory, end: () => Promise<void>): EmbeddedStore {
  let ending: Promise<void> | undefined
  const close = () => {
    ending ??= end()
    return ending
  }
  return { path, url: path, directory, close }
}

/** Now, so that a broken installation shows at the start and no request pays for it. */
async function loadScripts(state: EmbeddedState): Promise<void> {
  try {
    await state.getLuaRuntime()
  } catch (cause) {
    throw new AH_EMBEDDED_SCRIPTS((cause as Error).message, { cause })
  }
}

/** What others left behind is no reason not to start. */
async function clearAbandoned(parent: string): Promise<void> {
  try {
    await removeAbandoned(parent)
  } catch (error) {
    process.emitWarning(`the embedded store could not clear "${parent}": ${(error as Error).message}`, {
      code: 'AH_EMBEDDED_ABANDONED',
    })
  }
}
