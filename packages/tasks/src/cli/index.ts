// The command `fastify-ah tasks`: looks into the queues, enqueues, retries, pauses, and works.
import process from 'node:process'
import Fastify from 'fastify'
import { toError } from 'fastify-ah-kit'
import type { RedisOption } from 'fastify-ah-kit/redis'
import { AH_TASKS_DEFINITION, AH_TASKS_OPTIONS, AH_TASKS_QUEUE, AH_TASKS_USAGE } from '../errors.ts'
import { fastifyAhTasks } from '../plugin.ts'
import type { Tasks } from '../tasks.ts'
import { type CommandLine, readCommandLine } from './command-line.ts'
import { runCommand } from './commands.ts'
import { redisUrl } from './environment.ts'
import { work } from './work.ts'

/** Exit codes: done, failed or nothing found, wrong usage. */
const OK = 0
const FAILED = 1
const USAGE = 2

const HELP = `fastify-ah tasks: looks after the queues of fastify-ah-tasks

  fastify-ah tasks list [queue]                  all at a glance; the jobs that wait in a queue
  fastify-ah tasks enqueue <task> [inputs]       a job; inputs as JSON, checked when it runs
      --queue <name>  --in <ms>  --at <time>  --id <id>  --track  --front
                                                 without --queue into "default": the app's own definition of the task,
                                                 its queue, schema and hooks, is not known here
  fastify-ah tasks failed                        the failed list, each entry with its place
  fastify-ah tasks retry <place> ...             enqueues failed jobs again; --all [--task <name>] for all of them
  fastify-ah tasks pause <queue> ...             nobody takes from it until it is resumed
  fastify-ah tasks resume <queue> ...
  fastify-ah tasks work <app>                    works until SIGINT or SIGTERM, then drains: an app file, whose default
                                                 export is a plugin, in the role worker, without listening
  fastify-ah tasks work --tasks <folder>         likewise, a folder with a task per file; --queues <a,b>
      --max <n>                                  most jobs at a time, default 10

  --from <n> --count <n>   part of a list; default the first 100
  --redis <url>            default: REDIS_URL. Several with commas between them: nodes of a Redis Cluster
  --namespace <text>       what the app gives as option "namespace"; default resque
  --json                   one line of JSON
  -h, --help               this text

Exit codes: 0 done, 1 failed or nothing found, 2 wrong command line.
`

/** Runs the command; answers its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const line = readCommandLine(args)
    if (line.command === 'help') return say(HELP)
    if (line.command === 'work') {
      await work(line, line.operands.length > 0 ? undefined : redisOf(line.flags.redis))
      return OK
    }
    const { text, isDone } = await onTasks(line, (tasks) => runCommand[line.command as 'list'](tasks, line))
    if (text !== '') say(`${text}\n`)
    return isDone ? OK : FAILED
  } catch (thrown) {
    const error = toError(thrown) as NodeJS.ErrnoException
    process.stderr.write(`fastify-ah tasks: ${error.message}${error.code === undefined ? '' : ` (${error.code})`}\n`)
    const isUsage =
      error.code === 'AH_KIT_REDIS_OPTION' ||
      [AH_TASKS_USAGE, AH_TASKS_OPTIONS, AH_TASKS_QUEUE].some((Wrong) => error instanceof Wrong)
    return isUsage || (error instanceof AH_TASKS_DEFINITION && args[0] === 'enqueue') ? USAGE : FAILED
  }
}

async function onTasks<T>({ command, operands, flags }: CommandLine, look: (tasks: Tasks) => Promise<T>): Promise<T> {
  const app = Fastify()
  const { namespace } = flags
  try {
    await app.register(fastifyAhTasks, {
      redis: redisOf(flags.redis),
      scheduler: false,
      maxTaskProcessors: 0,
      ...(namespace === undefined ? {} : { namespace }),
    })
    // Whoever works the queue knows the task; here it is a name.
    if (command === 'enqueue') app.tasks.define({ name: operands[0] ?? '', run: () => undefined })
    await app.ready()
    return await look(app.tasks)
  } finally {
    await app.close()
  }
}

/** Never the store in memory: there would be nothing in it. */
function redisOf(given: string | undefined): RedisOption {
  const url = given ?? redisUrl()
  if (url === undefined) throw new AH_TASKS_USAGE('which Redis? Give --redis or set REDIS_URL')
  const nodes = url.split(',')
  return nodes.length === 1 ? url : { cluster: nodes }
}

function say(text: string): number {
  process.stdout.write(text)
  return OK
}
