// What the command `fastify-ah tasks` takes from the environment, and hands on to an app that it starts.
import process from 'node:process'

/** `REDIS_URL`; undefined if it is not set. */
export function redisUrl(): string | undefined {
  return process.env['REDIS_URL'] || undefined
}

/** As if they had been set outside: what the app's own options leave unset follows them. */
export function setForApp(variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables)
}
