// fastify-ah start cluster: a primary and its workers.
import { defaultWorkers } from '../cpus.ts'
import { createLog, Journal } from '../journal.ts'
import { Manager } from '../manager.ts'
import { MANAGER_PROPERTIES, managerOptions } from '../options.ts'
import { guardPrimary } from '../primary-guard.ts'
import { onStopSignals } from '../signals.ts'
import { isStoreWanted, startStore } from '../store.ts'
import type { Command } from './command.ts'
import { titleOf } from './settle.ts'
import { readWishes } from './wishes.ts'

/** `fastify-ah start cluster [app]` */
export const startCluster: Command = {
  name: 'start cluster',
  help: {
    usage: 'fastify-ah start cluster [app] [flags]',
    summary:
      'Starts a primary that holds the listening socket, and workers that serve the app.\n' +
      'TERM, INT and HUP drain and stop them; a second one kills them. Workers that die are replaced.',
    properties: MANAGER_PROPERTIES,
    examples: [
      'fastify-ah start cluster --workers 4 --port 3000',
      'fastify-ah start cluster server/app.js --socket /run/app.sock',
      'NODE_OPTIONS="--import tsx" fastify-ah start cluster src/app.ts',
    ],
  },
  async run(invocation) {
    const wishes = await readWishes('fastify-ah start cluster', MANAGER_PROPERTIES, invocation)
    if (wishes === 'help') return 'help'
    const { environment } = wishes
    const options = managerOptions.parse(wishes.values)
    const log = await createLog({ level: options.logLevel, isTerminal: process.stdout.isTTY })
    const { redisUrl, nodeEnv } = environment
    const isEmbedded = isStoreWanted({ embedded: options.embedded, redisUrl, nodeEnv })
    if (isEmbedded && options.embedded !== true) {
      log.warn('REDIS_URL is not set: the workers share a store in memory, gone when the cluster stops')
    }
    const manager = new Manager({
      options,
      workers: options.workers ?? defaultWorkers(),
      title: titleOf(options.title),
      root: options.root ?? environment.root,
      env: () => environment.forWorker(),
      journal: new Journal(log),
      startStore: isEmbedded ? startStore : undefined,
    })
    guardPrimary(manager)
    process.title = `fastify-ah primary ${titleOf(options.title)}`
    const endSignals = onStopSignals({ stop: () => manager.stop(), force: () => manager.kill() })
    await manager.start()
    const { isGraceful, error } = await manager.ended
    endSignals()
    if (error !== undefined) throw error
    return isGraceful ? 0 : 1
  },
}
