// A process that works jobs: notes in Redis what it runs, and dies, hangs or blocks where a job says so.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'
import { fastifyAhTasks, type JobContext } from 'fastify-ah-tasks'
import { Redis } from 'ioredis'

const [url = '', options = '{}', defaults = ''] = process.argv.slice(2)
const notes = new Redis(url)
const app = fastify({ logger: { level: 'warn' } })
await app.register(fastifyAhTasks, {
  redis: url,
  ...(defaults === '' && { scheduler: false, minTaskProcessors: 4, maxTaskProcessors: 4 }),
  leaseMs: 900,
  pollMs: 200,
  graceMs: 1_000,
  ...JSON.parse(options),
})

interface Inputs {
  readonly id?: number | string
  readonly ms?: number
}

const note = (list: string, text: unknown): Promise<number> => notes.rpush(list, String(text))
const say = (what: object): void => void process.send?.(what)

// Ends with a list that tells who ran what: `started`, `ended`, `aborted`.
app.tasks.define({
  name: 'work',
  run: async ({ id, ms = 0 }: Inputs, { signal, recovered }: JobContext) => {
    await note('started', id)
    say({ started: id, recovered })
    const abort = (): void => say({ aborted: (signal.reason as { code?: string }).code })
    signal.addEventListener('abort', abort)
    await sleep(ms)
    signal.removeEventListener('abort', abort)
    await note('ended', id)
    return id
  },
})
app.tasks.define({
  name: 'die',
  run: async ({ id }: Inputs) => {
    await note('started', id)
    process.kill(process.pid, 'SIGKILL')
    await sleep(10_000)
  },
})
app.tasks.define({
  name: 'block',
  run: async ({ id, ms = 0 }: Inputs, { signal }: JobContext) => {
    await note('started', id)
    signal.addEventListener('abort', () => say({ aborted: (signal.reason as { code?: string }).code }))
    const end = performance.now() + ms
    while (performance.now() < end);
    // The run goes on for a while after the block: time for the news that it lost the job.
    await sleep(300)
    say({ unblocked: id })
  },
})
for (const event of ['success', 'failure', 'lost', 'released'] as const) {
  app.tasks.on(event, ({ task, id, args }) => say({ event, task, id, input: (args[0] as Inputs)?.id }))
}
process.on('message', (message) => {
  if (message === 'stop') void app.close().then(() => process.exit(0))
  else lifecycleOf(app).announcePeerDeath(message as never)
})
process.on('SIGTERM', () => void app.close().then(() => process.exit(0)))
await app.ready()
say({ ready: true })
