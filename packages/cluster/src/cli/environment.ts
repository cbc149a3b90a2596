// The one place that reads the environment of the command, and the files that add to it.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import { parseEnv } from 'node:util'
import { toError } from 'fastify-ah-kit'
import { AH_CLUSTER_USAGE } from '../errors.ts'
import type { NotifyVariables } from '../systemd.ts'

/** Prefix of the variables that stand for flags. */
export const PREFIX = 'FASTIFY_AH_'

/** What the environment says. Empty variables count as unset, as everywhere in a shell. */
export interface Environment {
  /** `FASTIFY_AH_*` by name. */
  readonly flags: Readonly<Record<string, string>>
  readonly port: string | undefined
  /** ActionHero's `PROJECT_ROOT`. */
  readonly projectRoot: string | undefined
  /** That, else the current folder. */
  readonly root: string
  /** ActionHero's `ACTIONHERO_TITLE`. */
  readonly title: string | undefined
  /** ActionHero's `ACTIONHERO_ROLE`. */
  readonly role: string | undefined
  /** ActionHero's variables that are more than another name for a flag. */
  readonly actionHero: ActionHeroVariables
  readonly notify: NotifyVariables
  readonly redisUrl: string | undefined
  readonly nodeEnv: string | undefined
  /** This process was started by `--daemon` and is in the background. */
  readonly isDetached: boolean
  /** What was really set, for this program started again. */
  readonly inherited: NodeJS.ProcessEnv
  /** Everything, for a worker that starts now: the files are read anew, for they may belong to a new release. */
  forWorker(): NodeJS.ProcessEnv
}

/** See {@link Environment.actionHero}. */
export interface ActionHeroVariables {
  readonly ACTIONHERO_CONFIG: string | undefined
  readonly ACTIONHERO_ROOT: string | undefined
  readonly ENABLE_WEB_SERVER: string | undefined
  readonly ENABLE_WEBSOCKET_SERVER: string | undefined
  readonly ENABLE_TCP_SERVER: string | undefined
}

/** For the plugins in this process, which read it when the app is loaded. */
export function setVariable(name: 'ACTIONHERO_TITLE' | 'REDIS_URL', value: string): void {
  process.env[name] = value
}

/**
 * The environment and what `files` add to it, for this process too: a variable that is really set wins, among the files
 * the last one. Throws `AH_CLUSTER_USAGE` for a file that cannot be read.
 */
export function readEnvironment(files: readonly string[] = []): Environment {
  const paths = files.map((file) => resolve(file))
  const real = { ...process.env }
  const all = { ...readFiles(paths), ...real }
  Object.assign(process.env, all)
  const flags = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[0].startsWith(PREFIX) && !!entry[1],
  )
  return {
    flags: Object.fromEntries(flags),
    port: all['PORT'] || undefined,
    projectRoot: all['PROJECT_ROOT'] || undefined,
    root: all['PROJECT_ROOT'] || process.cwd(),
    title: all['ACTIONHERO_TITLE'] || undefined,
    role: all['ACTIONHERO_ROLE'] || undefined,
    actionHero: {
      ACTIONHERO_CONFIG: all['ACTIONHERO_CONFIG'] || undefined,
      ACTIONHERO_ROOT: all['ACTIONHERO_ROOT'] || undefined,
      ENABLE_WEB_SERVER: all['ENABLE_WEB_SERVER'] || undefined,
      ENABLE_WEBSOCKET_SERVER: all['ENABLE_WEBSOCKET_SERVER'] || undefined,
      ENABLE_TCP_SERVER: all['ENABLE_TCP_SERVER'] || undefined,
    },
    notify: {
      NOTIFY_SOCKET: all['NOTIFY_SOCKET'] || undefined,
      WATCHDOG_USEC: all['WATCHDOG_USEC'] || undefined,
      WATCHDOG_PID: all['WATCHDOG_PID'] || undefined,
    },
    redisUrl: all['REDIS_URL'] || undefined,
    nodeEnv: all['NODE_ENV'] || undefined,
    isDetached: all['AH_DETACHED'] === '1',
    inherited: real,
    forWorker: () => withoutOurs({ ...readFiles(paths), ...real }),
  }
}

const OURS: ReadonlySet<string> = new Set(['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'AH_DETACHED'])

/** A worker that told systemd of itself would speak for the primary. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.has(name)))
}

function readFiles(paths: readonly string[]): NodeJS.ProcessEnv {
  return Object.assign({}, ...paths.map((path) => parseEnv(textOf(path)))) as NodeJS.ProcessEnv
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AH_CLUSTER_USAGE(`--env-file: ${path} cannot be read: ${toError(cause).message}`, { cause })
  }
}
