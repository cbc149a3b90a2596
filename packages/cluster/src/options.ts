// The options of the command and of the plugin: one table each for type, default, check, help and README.
import { type CheckedOptions, defineOptions, type OptionSchema } from 'fastify-ah-kit'
import { AH_CLUSTER_OPTIONS } from './errors.ts'
import type { CrashedWorker } from './types.ts'

/** What the manager and a single process are started with. Durations are ms. */
export interface StartOptions {
  /** The app file, or a folder with one; default: looked for in `root`. */
  readonly app?: string
  /** The project's folder, resolved anew for each worker (it may be a symlink); default: the current one. */
  readonly root?: string
  readonly port?: number | string
  readonly host?: string
  readonly socket?: string
  readonly socketMode?: string
  readonly socketGroup?: string
  readonly backlog: number
  readonly bindWaitMs: number
  readonly embedded?: boolean
  readonly title?: string
  readonly drainMs?: number
  readonly notReadyMs?: number
  readonly config?: string
  readonly envFile?: readonly string[]
  /** Folder of the pid files, from `root`. */
  readonly pids?: string
}

/** Told of a worker that died by itself. What it throws, or rejects with, is logged and changes nothing. */
export type CrashHook = (error: Error, worker: CrashedWorker) => unknown

/** What the manager alone is started with. */
export interface ManagerOptions extends StartOptions {
  readonly workers?: number
  readonly roles?: string
  readonly readyMs: number
  readonly hangMs: number
  readonly maxRssMb: number
  readonly exitOnFlap: boolean
  readonly onCrash?: CrashHook
  /** Folder of the pid files, from `root`. */
  readonly pids: string
  readonly logLevel: string
  readonly logFile?: string
  readonly daemon?: boolean
  readonly metricsPort?: number
  readonly metricsHost: string
  readonly watch?: boolean
  readonly inspect?: boolean | number
}

/** What the plugin is registered with, checked. */
export interface PluginOptions extends DrainTimes {
  readonly decorator: string
  readonly health: false | { readonly prefix: string }
}

/** How long the steps of the drain may take, in ms. */
export interface DrainTimes {
  /** How long open connections may go on after a stop. */
  readonly drainMs: number
  /** How long the app says that it is not ready before it refuses connections. */
  readonly notReadyMs: number
}

/** `drainMs`, unless said otherwise. */
export const DEFAULT_DRAIN_MS = 5_000

/** Time that `app.close()` and the exit may take after the drain, before the process is killed. */
export const CLOSE_MS = 2_000
/** How long a boot that is not wanted any more may go on to its end: what its plugins have taken up by then is given back. */
export const BOOT_GRACE_MS = 1_500

/** Default path before `/live` and `/ready`. */
export const HEALTH_PREFIX = '/health'

// setTimeout fires at once beyond this.
const LONGEST_MS = 2 ** 31 - 1

const ms = (description: string, byDefault?: number): OptionSchema => ({
  description,
  type: 'integer',
  minimum: 0,
  maximum: LONGEST_MS,
  ...(byDefault === undefined ? {} : { default: byDefault }),
})

const text = (description: string): OptionSchema => ({ description, type: 'string', minLength: 1 })

/** Options of `fastify-ah start`. */
export const START_PROPERTIES: Readonly<Record<string, OptionSchema>> = {
  app: text('the app file, or a folder with one'),
  root: text('folder that the app and its relative paths belong to'),
  port: {
    description: 'TCP port (0: a free one); a value with a "/" is a socket path',
    check: { expected: 'a port from 0 to 65535, or a socket path with a "/"', accepts: isPortOrPath },
    default: 8080,
  },
  host: text('address or name to bind; all interfaces, IPv6 and IPv4, without it'),
  socket: text('unix socket to listen on instead of a port'),
  socketMode: {
    ...text('mode of the unix socket; connecting takes the right to write'),
    check: { expected: 'an octal mode like "0660"', accepts: isOctalMode },
  },
  socketGroup: text('group of the unix socket, by name or number: that of the proxy in front'),
  backlog: {
    description: 'connections that may wait in the kernel for a worker; cut to net.core.somaxconn',
    type: 'integer',
    minimum: 1,
    maximum: 65_535,
    default: 4096,
  },
  bindWaitMs: ms('how long to wait for an address that is still in use', 2_000),
  embedded: {
    description: 'start the embedded store; without it: unless REDIS_URL is set or NODE_ENV is production',
    type: 'boolean',
  },
  title: {
    ...text('name of this cluster in logs, pid files and for other nodes; "hostname" is this machine\'s name'),
    pattern: '^[^/]+$',
    expected: 'a name without a "/"',
  },
  drainMs: ms(
    `how long open connections may go on after a stop (the plugin's option, ${DEFAULT_DRAIN_MS}, without it)`,
  ),
  notReadyMs: ms('how long /health/ready says no before connections are refused, for load balancers'),
  config: text('config file, or a folder with one; without it fastify-ah.config.js, .mjs or .json in the project'),
  envFile: {
    description: 'file of variables, read anew for each worker; what is really set wins; may be repeated',
    type: 'array',
    items: { type: 'string', minLength: 1 },
  },
  pids: text("folder of the pid files, and of a cluster's control socket; a single process writes one only if told"),
}

/** Options of `fastify-ah start cluster`. */
export const MANAGER_PROPERTIES: Readonly<Record<string, OptionSchema>> = {
  workers: {
    description: 'number of workers; without it: the available CPUs, one less from 3 up',
    type: 'integer',
    minimum: 1,
    maximum: 1024,
  },
  ...START_PROPERTIES,
  roles: {
    description: 'workers by role, as in "web=2,worker=1", in place of --workers; role "worker" takes no connections',
    type: 'string',
    pattern: '^\\w[\\w-]*=\\d{1,4}(,\\w[\\w-]*=\\d{1,4})*$',
    expected: 'a number for each role, as in "web=2,worker=1"',
  },
  readyMs: { ...ms('how long a worker may take until it serves', 30_000), minimum: 1 },
  hangMs: ms('how long a worker may be silent (its event loop blocked) until it is killed; 0: for ever', 30_000),
  maxRssMb: {
    description: 'resident memory in MB beyond which a worker is replaced, in order; 0: no limit',
    type: 'integer',
    minimum: 0,
    default: 0,
  },
  exitOnFlap: {
    description: 'end the cluster when workers die faster than they can serve (3 a worker within 30 s)',
    type: 'boolean',
    default: false,
  },
  onCrash: {
    description: 'function (error, worker) of a config file, told of each worker that died by itself',
    check: { expected: 'a function', accepts: (value) => typeof value === 'function' },
  },
  pids: { ...START_PROPERTIES['pids']!, default: 'pids' },
  logLevel: {
    description: "level of the primary's log",
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
  },
  logFile: text('file for the log and for what workers write, opened anew in a reload and on HUP; stdout without it'),
  daemon: {
    description: 'runs in the background; the command ends when all workers serve. The log goes to log/cluster.log',
    type: 'boolean',
  },
  metricsPort: {
    description:
      "port of the primary's own on which the numbers of all workers are shown (0: a free one); none without it",
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
  },
  metricsHost: { ...text('address to bind that port to'), default: '127.0.0.1' },
  watch: {
    description: 'for development: reloads when a file of the project changes; refused with NODE_ENV=production',
    type: 'boolean',
  },
  inspect: {
    description: 'opens the inspector of each worker on 127.0.0.1, on this port (9229 without one) plus its number',
    type: ['boolean', 'integer'],
    minimum: 1,
    maximum: 64_000,
  },
}

const PLUGIN_PROPERTIES: Readonly<Record<string, OptionSchema>> = {
  decorator: { ...text('name of the decorator'), default: 'cluster' },
  health: {
    description: 'routes `<prefix>/live` and `<prefix>/ready`; `false` adds none',
    type: ['object', 'boolean'],
    properties: {
      prefix: {
        description: 'path before them',
        type: 'string',
        pattern: '^/.*[^/]$',
        expected: 'a path that begins with a "/" and does not end with one',
        default: HEALTH_PREFIX,
      },
    },
    additionalProperties: false,
    if: { type: 'boolean' },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON schema
    then: { enum: [false] },
    default: {},
  },
  drainMs: ms('how long open connections may go on after a stop; `--drain-ms` wins', DEFAULT_DRAIN_MS),
  notReadyMs: ms('how long `<prefix>/ready` says no before connections are refused; `--not-ready-ms` wins', 0),
}

/** Checks the options of a single process. */
export const startOptions: CheckedOptions<StartOptions> = checkedLater(START_PROPERTIES)
/** Checks the options of the manager. */
export const managerOptions: CheckedOptions<ManagerOptions> = checkedLater(MANAGER_PROPERTIES)
/** Checks the options of the plugin. */
export const pluginOptions: CheckedOptions<PluginOptions> = checkedLater(PLUGIN_PROPERTIES)

/** A schema takes longer to compile than a worker to load all of our files, and most processes need one of these or none. */
function checkedLater<T extends object>(properties: Readonly<Record<string, OptionSchema>>): CheckedOptions<T> {
  const definition = { package: 'fastify-ah-cluster', error: AH_CLUSTER_OPTIONS, properties }
  let made: CheckedOptions<T> | undefined
  return {
    definition,
    parse: (input) => {
      made ??= defineOptions<T>(definition)
      return made.parse(input)
    },
  }
}

function isOctalMode(value: unknown): boolean {
  return typeof value === 'string' && /^0?[0-7]{3}$/.test(value)
}

function isPortOrPath(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('/')
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535
}
