// The demo: a chat over all workers, what is saved by one and met by the others, and a page that shows it.
import { join } from 'node:path'
import process from 'node:process'
import { PassThrough } from 'node:stream'
import fastifyStatic from '@fastify/static'
import fastifyAhCache from 'fastify-ah-cache'
import fastifyAhCluster from 'fastify-ah-cluster'
import { lifecycleOf } from 'fastify-ah-kit'
import fastifyAhPubsub from 'fastify-ah-pubsub'
import { baking, queueLengths } from './baking.js'
import { chat } from './chat.js'
import { killOnceSaid } from './kill.js'

const name = { type: 'string', minLength: 1, maxLength: 100 }

export default async function demo(app) {
  await app.register(fastifyAhCluster)
  await app.register(fastifyAhCache)
  await app.register(fastifyAhPubsub)
  await app.register(fastifyStatic, { root: join(import.meta.dirname, 'public') })

  // A browser keeps its connection, and with it its worker. Here each request shall meet whichever is free.
  app.addHook('onSend', async (_request, reply) => {
    reply.header('connection', 'close')
  })

  app.put(
    '/notes/:name',
    {
      schema: {
        params: { type: 'object', properties: { name } },
        body: { type: 'object', properties: { text: name }, required: ['text'] },
      },
    },
    async ({ params, body }) => {
      await app.cache.save(params.name, { text: body.text, savedBy: process.pid }, 60 * 60 * 1000)
      return { savedBy: process.pid }
    },
  )

  app.get('/notes/:name', async ({ params }, reply) => {
    const note = await app.cache.get(params.name)
    if (note === undefined)
      return reply.code(404).send({ message: `nothing is saved as "${params.name}"`, loadedBy: process.pid })
    return { ...note, loadedBy: process.pid }
  })

  app.post('/count', async (request) => ({
    count: await countOne(app, `${process.pid}-${request.id}`),
    countedBy: process.pid,
  }))

  app.get('/state', async () => {
    const [count, { workers }, nodes, queues] = await Promise.all([
      app.cache.get('count'),
      app.cluster.status(),
      app.pubsub.nodes(),
      queueLengths(app),
    ])
    return { count: count ?? 0, workers, nodes, queues, answeredBy: process.pid }
  })

  await chat(app)
  await baking(app)
  await tellListeners(app)

  app.post(
    '/messages',
    { schema: { body: { type: 'object', properties: { text: name }, required: ['text'] } } },
    async ({ body }) => {
      await app.pubsub.publish('/demo/messages', { text: body.text, saidBy: process.pid })
      return { saidBy: process.pid }
    },
  )

  app.post('/workers/:pid/kill', async ({ params }, reply) => {
    const { workers } = await app.cluster.status()
    const victim = workers.find(({ pid }) => pid === Number(params.pid))
    if (victim === undefined) return reply.code(404).send({ message: `no worker has pid ${params.pid}` })
    killOnceSaid(reply, victim.pid)
    return { killed: victim.pid }
  })

  app.post('/reload', () => app.cluster.reload())
}

/** `GET /messages`: what is said on any node, as server-sent events, as long as the page stays and this worker lives. */
async function tellListeners(app) {
  const listeners = new Set()
  await app.pubsub.subscribe('/demo/messages', ({ text, saidBy }) => {
    const event = `data: ${JSON.stringify({ text, saidBy, heardBy: process.pid })}\n\n`
    for (const listener of listeners) listener.write(event)
  })

  app.get('/messages', (_request, reply) => {
    const listener = new PassThrough()
    listeners.add(listener)
    listener.once('close', () => listeners.delete(listener))
    // The page comes back at once when its worker goes.
    listener.write('retry: 100\n\n')
    return reply.type('text/event-stream').header('cache-control', 'no-store').send(listener)
  })

  // An open stream would hold the worker for its whole drain.
  const endAll = () => {
    for (const listener of listeners) listener.end()
  }
  lifecycleOf(app).onDrain('demo messages', endAll, 1_000)
}

/**
 * Reads, adds one and writes under a lock, so that no two workers count the same click. The lock has a key of its own:
 * a locked key cannot be read by others, and the page reads the count all the while.
 */
async function countOne(app, owner) {
  const cache = app.cache.withOwner(owner)
  while (!(await cache.lock('counting'))) await cache.checkLock('counting', { retry: true })
  try {
    const count = ((await cache.get('count')) ?? 0) + 1
    await cache.save('count', count)
    return count
  } finally {
    await cache.unlock('counting')
  }
}
