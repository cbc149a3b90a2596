// fastify-ah start: one process, the same drain.
import { join, resolve } from 'node:path'
import { AH_CLUSTER_PID_FILE } from '../errors.ts'
import { externalAddress } from '../external-address.ts'
import { describeAddress } from '../listen-address.ts'
import { START_PROPERTIES, startOptions } from '../options.ts'
import { PidFile } from '../pid-file.ts'
import { isListening } from '../seats.ts'
import { onStopSignals } from '../signals.ts'
import type { SingleProcess } from '../single-process.ts'
import { startStore } from '../store.ts'
import { Systemd } from '../systemd.ts'
import { isWebServerOff } from './actionhero.ts'
import type { Command } from './command.ts'
import { setVariable } from './environment.ts'
import { titleOf } from './settle.ts'
import { readWishes } from './wishes.ts'

/** `fastify-ah start [app]` */
export const start: Command = {
  name: 'start',
  help: {
    usage: 'fastify-ah start [app] [flags]',
    summary: 'Starts the app in one process. TERM, INT and HUP drain it; a second one ends it at once.',
    properties: START_PROPERTIES,
    examples: [
      'fastify-ah start',
      'fastify-ah start server/app.js --port 3000',
      'fastify-ah start --socket /run/app.sock',
    ],
  },
  async run(invocation) {
    const { print, warn } = invocation
    const wishes = await readWishes('fastify-ah start', START_PROPERTIES, invocation)
    if (wishes === 'help') return 'help'
    const { environment } = wishes
    const options = startOptions.parse(wishes.values)
    if (options.title !== undefined) setVariable('ACTIONHERO_TITLE', titleOf(options.title))
    // In production a store in memory must be asked for; elsewhere the plugin that needs one starts its own.
    const { startSingle } = await import('../single-process.ts')
    let single: SingleProcess | undefined
    const systemd = Systemd.from(environment.notify, (error) => warn(`systemd could not be told: ${error.message}`))
    const endSignals = onStopSignals({
      stop: () => {
        // While it boots nothing has been promised to anybody; what is open goes with the process.
        if (single === undefined) process.exit(0)
        systemd?.stops()
        single.close()
      },
      force: () => process.exit(1),
    })
    const root = options.root ?? environment.root
    if (options.pids !== undefined) {
      const path = join(resolve(root, options.pids), `actionhero-${externalAddress()}`)
      try {
        const file = PidFile.claim(path)
        // Also when it ends while it boots.
        process.once('exit', () => file.release())
      } catch (error) {
        // Two of them may share the folder, as services of one project; the first one has the name.
        if (!(error instanceof AH_CLUSTER_PID_FILE)) throw error
        warn(error.message)
      }
    }
    single = await startSingle({
      options,
      root,
      isListening: !isWebServerOff(environment.actionHero) && isListening(environment.role),
      startStore: options.embedded === true ? startStore : undefined,
      onStore: (url) => setVariable('REDIS_URL', url),
      onWait: (error) => warn(`${error.message}; trying again for ${options.bindWaitMs} ms`),
    })
    const { address } = single
    print(address === undefined ? 'started, takes no connections' : `listening on ${describeAddress(address)}`)
    systemd?.serves(1)
    await single.closed
    endSignals()
    await systemd?.close()
    return 0
  },
}
