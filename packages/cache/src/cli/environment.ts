// What the command takes from the environment.
import process from 'node:process'

/** `REDIS_URL`; undefined if it is not set. */
export function redisUrl(): string | undefined {
  return process.env['REDIS_URL'] || undefined
}
