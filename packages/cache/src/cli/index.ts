// The command `fastify-ah cache`: looks into a cache, empties it, dumps it and reads a dump.
import process from 'node:process'
import Fastify from 'fastify'
import { toError } from 'fastify-ah-kit'
import { AH_KIT_REDIS_OPTION, type RedisOption } from 'fastify-ah-kit/redis'
import type { Cache } from '../cache.ts'
import { AH_CACHE_OPTIONS, AH_CACHE_USAGE } from '../errors.ts'
import { fastifyAhCache } from '../plugin.ts'
import { type CommandLine, readCommandLine } from './command-line.ts'
import { runCommand } from './commands.ts'
import { redisUrl } from './environment.ts'

/** Exit codes: done, failed or nothing found, wrong usage. */
const OK = 0
const FAILED = 1
const USAGE = 2

/** What only another command line can mend. */
const usageErrors = [AH_CACHE_USAGE, AH_CACHE_OPTIONS, AH_KIT_REDIS_OPTION]

const HELP = `fastify-ah cache: looks after the cache of fastify-ah-cache

  fastify-ah cache keys [beginning]       its keys
  fastify-ah cache get <key>              a value as JSON; exit code 1 if there is none
  fastify-ah cache del <key> ...          removes values and lists; exit code 1 if there were none
  fastify-ah cache clear <beginning>      removes all keys that begin with it; --all for all of them
  fastify-ah cache dump <file>            writes everything to a file that only you may read
  fastify-ah cache load <file>            replaces everything by what is in the file

  --redis <url>      default: REDIS_URL. Several with commas between them: nodes of a Redis Cluster
  --prefix <text>    what the app gives as option "prefix"; default actionhero:
  --json             one line of JSON
  -h, --help         this text

Keys that another owner locked can be listed and cleared, but neither read nor removed by del.
A key that begins with "-" stands behind a "--" at the end: fastify-ah cache get -- -key
Exit codes: 0 done, 1 failed or nothing found, 2 wrong command line.
`

/** Runs the command; answers its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const line = readCommandLine(args)
    if (line.command === 'help') return say(HELP)
    const { text, isFound } = await onCache(line, (cache) => runCommand[line.command as 'keys'](cache, line))
    if (text !== '') say(`${text}\n`)
    return isFound ? OK : FAILED
  } catch (thrown) {
    const error = toError(thrown) as NodeJS.ErrnoException
    process.stderr.write(`fastify-ah cache: ${error.message}${error.code === undefined ? '' : ` (${error.code})`}\n`)
    return usageErrors.some((usage) => error instanceof usage) ? USAGE : FAILED
  }
}

async function onCache<T>({ redis, prefix }: CommandLine, work: (cache: Cache) => Promise<T>): Promise<T> {
  const app = Fastify()
  try {
    await app.register(fastifyAhCache, { redis: redisOf(redis), ...(prefix === undefined ? {} : { prefix }) })
    await app.ready()
    return await work(app.cache)
  } finally {
    await app.close()
  }
}

/** Never the store in memory: there would be nothing in it. */
function redisOf(given: string | undefined): RedisOption {
  const url = given ?? redisUrl()
  if (url === undefined) throw new AH_CACHE_USAGE('which Redis? Give --redis or set REDIS_URL')
  const nodes = url.split(',')
  return nodes.length === 1 ? url : { cluster: nodes }
}

function say(text: string): number {
  process.stdout.write(text)
  return OK
}
