// fastify-ah start cluster: a primary and its workers.
import { realpathSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { toError } from 'fastify-ah-kit'
import type { Logger } from 'pino'
import { ClusterHandle } from '../cluster-handle.ts'
import { guardedHook } from '../crash-hook.ts'
import { AH_CLUSTER_USAGE } from '../errors.ts'
import { FileWatch } from '../file-watch.ts'
import { inspectorFlags, inspectorPort } from '../inspector-flags.ts'
import { type Audience, createLog, Journal } from '../journal.ts'
import { LogFile } from '../log-file.ts'
import type { Manager } from '../manager.ts'
import { type CrashHook, MANAGER_PROPERTIES, managerOptions } from '../options.ts'
import { guardPrimary } from '../primary-guard.ts'
import { rolesOf } from '../roles.ts'
import { onManagerSignals } from '../signals.ts'
import { isStoreWanted, startStore } from '../store.ts'
import { Systemd } from '../systemd.ts'
import { isWebServerOff } from './actionhero.ts'
import type { Command } from './command.ts'
import { startDaemon } from './daemon.ts'
import { DaemonNews } from './daemon-news.ts'
import { titleOf } from './settle.ts'
import { readWishes } from './wishes.ts'

/** Below the project's folder. */
const DAEMON_LOG = 'log/cluster.log'

const NOT_TOLD = 'NOTIFY_SOCKET is set, but systemd could not be told: does systemd-notify work here?'

/** `fastify-ah start cluster [app]` */
export const startCluster: Command = {
  name: 'start cluster',
  help: {
    usage: 'fastify-ah start cluster [app] [flags]',
    summary:
      'Starts a primary that holds the listening socket, and workers that serve the app.\n' +
      'Workers that die are replaced. Signals: TERM and INT drain and stop, a second one kills; USR2 reloads, one\n' +
      'worker after the other; HUP restarts all at once (in a terminal: stops); TTIN and TTOU: one worker more, less.',
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
    const parsed = managerOptions.parse(wishes.values)
    // A worker that stands at a breakpoint does not hang.
    const options = parsed.inspect === undefined || parsed.inspect === false ? parsed : { ...parsed, hangMs: 0 }
    const root = options.root ?? environment.root
    if (options.watch === true && environment.nodeEnv === 'production') {
      throw new AH_CLUSTER_USAGE('--watch is for development, and NODE_ENV is production: use "fastify-ah reload"')
    }
    const logPath = options.logFile ?? (options.daemon === true ? DAEMON_LOG : undefined)
    if (options.daemon === true && !environment.isDetached) {
      const { print, warn } = invocation
      const args = [...this.name.split(' '), ...invocation.args]
      return startDaemon({ args, env: environment.inherited, logFile: resolve(root, logPath!), print, warn })
    }
    const file = logPath === undefined ? undefined : new LogFile(resolve(root, logPath))
    const log = await createLog({ level: options.logLevel, isTerminal: process.stdout.isTTY, file })
    const { redisUrl, nodeEnv } = environment
    const isEmbedded = isStoreWanted({ embedded: options.embedded, redisUrl, nodeEnv })
    if (isEmbedded && options.embedded !== true) {
      log.warn('REDIS_URL is not set: the workers share a store in memory, gone when the cluster stops')
    }
    const systemd = Systemd.from(environment.notify, (err) => log.warn({ err }, NOT_TOLD))
    const roles = rolesOf(options)
    const flags = (id: number) => {
      const port = inspectorPort(options.inspect, id)
      if (port === undefined) return []
      log.info({ worker: id, inspectPort: port }, `worker ${id} can be inspected on 127.0.0.1:${port}`)
      return inspectorFlags(port)
    }
    const audience = [
      systemd,
      environment.isDetached ? new DaemonNews() : undefined,
      file === undefined ? undefined : reopening(file, log),
      options.onCrash === undefined ? undefined : reporting(options.onCrash, log),
    ].filter((one) => one !== undefined)
    const handle = new ClusterHandle({
      options,
      roles,
      isWebServerOn: !isWebServerOff(environment.actionHero),
      flags,
      title: titleOf(options.title),
      root,
      ...(file === undefined ? {} : { output: () => file.fd }),
      env: () => environment.forWorker(),
      journal: new Journal(log, audience),
      startStore: isEmbedded ? startStore : undefined,
    })
    const { manager } = handle
    guardPrimary(manager)
    process.title = `fastify-ah primary ${titleOf(options.title)}`
    const endSignals = onManagerSignals(manager, { isTerminal: process.stdin.isTTY || process.stdout.isTTY })
    await handle.start()
    const ignored = [resolve(root, options.pids), ...(file === undefined ? [] : [file.path])]
    const watch = options.watch === true ? watchProject(realpathSync(root), ignored, manager, log) : undefined
    const { isGraceful, error } = await handle.ended
    watch?.close()
    endSignals()
    await systemd?.close()
    if (error !== undefined) throw error
    return isGraceful ? 0 : 1
  },
}

function watchProject(root: string, ignored: readonly string[], manager: Manager, log: Logger): FileWatch {
  log.info({ root }, `changes of files in ${root} reload the workers`)
  return new FileWatch(root, {
    ignored,
    onChange: (paths) => {
      const files = paths.map((path) => relative(root, path))
      const more = files.length > 1 ? ` and ${files.length - 1} more` : ''
      log.info({ files }, `${files[0]}${more} changed`)
      manager.reload()
    },
    onError: (err) => log.error({ err }, `a folder is not watched: ${err.message}`),
  })
}

/** Before the workers are replaced: they write into what is open then. */
function reopening(file: LogFile, log: Logger): Audience {
  return {
    serves: () => undefined,
    stops: () => undefined,
    reloads: () => {
      try {
        file.reopen()
        log.debug({ file: file.path }, 'the log file was opened anew')
      } catch (error) {
        log.error({ err: toError(error) }, 'the log goes on in the old file')
      }
    },
  }
}

/** The hook of the config file. */
function reporting(onCrash: CrashHook, log: Logger): Audience {
  const hook = guardedHook(onCrash, log)
  return {
    serves: () => undefined,
    stops: () => undefined,
    reloads: () => undefined,
    died: (error, worker) => void hook(error, worker),
  }
}
