// The one place that reads the environment of the command.
import process from 'node:process'

/** Prefix of the variables that stand for flags. */
export const PREFIX = 'FASTIFY_AH_'

/** What the environment says. */
export interface Environment {
  /** `FASTIFY_AH_*` by name. */
  readonly flags: Readonly<Record<string, string>>
  readonly port: string | undefined
  /** ActionHero's `PROJECT_ROOT`, else the current folder. */
  readonly root: string
  /** ActionHero's `ACTIONHERO_TITLE`. */
  readonly title: string | undefined
  readonly redisUrl: string | undefined
  readonly nodeEnv: string | undefined
  /** Everything, for the workers. */
  readonly all: NodeJS.ProcessEnv
}

/** For the plugins in this process, which read it when the app is loaded. */
export function setVariable(name: 'ACTIONHERO_TITLE' | 'REDIS_URL', value: string): void {
  process.env[name] = value
}

/** Empty variables count as unset, as everywhere in a shell. */
export function readEnvironment(): Environment {
  const all = { ...process.env }
  const flags = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[0].startsWith(PREFIX) && !!entry[1],
  )
  return {
    flags: Object.fromEntries(flags),
    port: all['PORT'] || undefined,
    root: all['PROJECT_ROOT'] || process.cwd(),
    title: all['ACTIONHERO_TITLE'] || undefined,
    redisUrl: all['REDIS_URL'] || undefined,
    nodeEnv: all['NODE_ENV'] || undefined,
    all,
  }
}
