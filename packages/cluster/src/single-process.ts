// One process without workers, with the same boot and the same drain.
import { chdir } from 'node:process'
import { appFailure } from './app-failure.ts'
import { type StartedApp, startApp } from './app-server.ts'
import { reportOf } from './error-report.ts'
import { AH_CLUSTER_STORE_FAILED } from './errors.ts'
import { resolveAddress } from './listen-address.ts'
import { Listener } from './listener.ts'
import type { StartOptions } from './options.ts'
import { findProject } from './project.ts'
import { accessOf } from './socket-access.ts'
import type { Store } from './store.ts'
import type { ListenAddress } from './types.ts'

const LONG_MS = 2 ** 30

/** What the process is made of, besides its options. */
export interface SingleSetup {
  readonly options: StartOptions
  readonly root: string
  /** Whether it takes connections at all. */
  readonly isListening: boolean
  /** Starts the embedded store, if it was asked for. */
  readonly startStore: (() => Promise<Store>) | undefined
  /** Told the store's URL before the app is loaded: plugins read it from the environment. */
  readonly onStore: (url: string) => void
  readonly onWait: (error: Error) => void
}

/** The started process. */
export interface SingleProcess {
  /** Undefined if it takes no connections. */
  readonly address: ListenAddress | undefined
  /** Settles when the app is closed, whoever closed it; rejects with what its close throws. */
  readonly closed: Promise<void>
  /** Begins to drain and to close the app. */
  close(): void
}

/** Throws what keeps the app from serving; nothing is left behind then. */
export async function startSingle(setup: SingleSetup): Promise<SingleProcess> {
  const { options, root } = setup
  const address = await resolveAddress(options, root)
  const project = findProject(root, options.app)
  const listener = setup.isListening
    ? await Listener.bind(address, { ...accessOf(options), waitMs: options.bindWaitMs, onWait: setup.onWait })
    : undefined
  // A process that ends without a drain would leave the file of its unix socket behind.
  process.once('exit', () => listener?.close())
  let store: Store | undefined
  let started: StartedApp
  try {
    store = await setup.startStore?.()
    if (store !== undefined) setup.onStore(store.url)
    chdir(project.root)
    const socket = listener && { address: listener.address, handle: listener.handle! }
    started = await startApp({ ...options, app: project.app }, socket)
  } catch (error) {
    listener?.close()
    await store?.close()
    throw error instanceof AH_CLUSTER_STORE_FAILED ? error : appFailure(project.app, reportOf(error))
  }
  const { drain } = started
  let fail: (error: unknown) => void = () => undefined
  const closed = new Promise<void>((resolve, reject) => {
    fail = reject
    drain.hear({ stopping: () => undefined, deaf: () => undefined, stopped: resolve })
  })
  // Without a socket nothing else may keep the process going.
  const hold = setInterval(() => undefined, LONG_MS)
  return {
    address: listener?.address,
    closed: closed.finally(() => {
      clearInterval(hold)
      return store?.close()
    }),
    close: () => void drain.run().catch(fail),
  }
}
