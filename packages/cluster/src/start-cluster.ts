// Starts a cluster from a program instead of the command.

import { hostname } from 'node:os'
import process from 'node:process'
import { guardedHook } from './crash-hook.ts'
import { AH_CLUSTER_OPTIONS } from './errors.ts'
import { createLog, Journal } from './journal.ts'
import { type ManagerOptions, managerOptions } from './options.ts'
import { rolesOf } from './roles.ts'
import { RunningCluster } from './running-cluster.ts'
import { isStoreWanted, startStore } from './store.ts'

export type { ManagerEnd } from './manager.ts'
export type { ClusterEvents, RunningCluster } from './running-cluster.ts'
export type { ClusterStatus, CrashedWorker, ReloadProgress, Vitals, WorkerState, WorkerStatus } from './types.ts'

/** Options that only the command has a use for. */
const OF_THE_COMMAND = ['config', 'envFile', 'daemon', 'watch', 'inspect', 'logFile'] as const

/** The options of `fastify-ah start cluster`, by the names that they have in a config file. */
export interface ClusterOptions extends Partial<Omit<ManagerOptions, (typeof OF_THE_COMMAND)[number]>> {
  /** Variables for the workers; default: those of this process. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Resolves when every worker serves. This process is the primary then: the cluster ends with it, and signals are its
 * own to handle. Throws what the command would print: `AH_CLUSTER_OPTIONS`, `AH_CLUSTER_ADDRESS_IN_USE`,
 * `AH_CLUSTER_APP_FAILED` …; nothing is left behind then.
 */
export async function startCluster({ env, ...given }: ClusterOptions = {}): Promise<RunningCluster> {
  const foreign = OF_THE_COMMAND.find((name) => Object.hasOwn(given, name))
  if (foreign !== undefined) {
    throw new AH_CLUSTER_OPTIONS(`option "${foreign}" belongs to the command, not to startCluster()`)
  }
  const options = managerOptions.parse(given)
  const variables = { ...(env ?? process.env) }
  const log = await createLog({ level: options.logLevel, isTerminal: process.stdout.isTTY })
  const { REDIS_URL: redisUrl, NODE_ENV: nodeEnv } = variables
  const isEmbedded = isStoreWanted({ embedded: options.embedded, redisUrl, nodeEnv })
  const cluster = new RunningCluster((audience) => ({
    options,
    roles: rolesOf(options),
    title: options.title === undefined || options.title === 'hostname' ? hostname() : options.title,
    root: options.root ?? process.cwd(),
    env: () => variables,
    journal: new Journal(log, [audience]),
    startStore: isEmbedded ? startStore : undefined,
  }))
  if (options.onCrash !== undefined) cluster.on('crash', guardedHook(options.onCrash, log))
  await cluster.start()
  return cluster
}
