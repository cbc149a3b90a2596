// A node that does what it is told over IPC: { id, method, args } → { id, result | error }. Argument: the plugin's options.
import process from 'node:process'
import fastify from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'
import { fastifyAhPubsub, type Gap } from 'fastify-ah-pubsub'

const app = fastify()
await app.register(fastifyAhPubsub, JSON.parse(process.argv[2] ?? '{}'))
const { pubsub } = app
const gaps: Gap[] = []
const left: string[] = []
const heard: unknown[] = []
pubsub.onGap((gap) => gaps.push(gap))
pubsub.on('nodeLeft', ({ id }) => left.push(id))
pubsub.handle('who', () => pubsub.id)
pubsub.handle('hangs', () => new Promise(() => undefined))
await app.ready()

const methods: Record<string, (...args: never[]) => unknown> = {
  subscribe: async (...channels: string[]) => {
    await Promise.all(channels.map((channel) => pubsub.subscribe(channel, (data) => heard.push([channel, data]))))
  },
  publish: (channel: string, data: unknown) => pubsub.publish(channel, data),
  publishInternal: (channel: string, data: unknown) => pubsub.internal.publish(channel, data),
  call: (name: string, node: string) => pubsub.call(name, undefined, { node }),
  nodes: async () => (await pubsub.nodes()).map(({ id }) => id),
  ready: async () => (await lifecycleOf(app).readiness()).ready,
  seen: () => ({ gaps: gaps.splice(0), left, heard: heard.splice(0), stats: pubsub.stats() }),
  close: async () => {
    await app.close()
    process.disconnect()
  },
}

process.on('message', async ({ id, method, args }: { id: number; method: string; args: never[] }) => {
  try {
    const result = await methods[method]?.(...args)
    if (process.connected) process.send?.({ id, result })
  } catch (error) {
    process.send?.({ id, error: (error as NodeJS.ErrnoException).code })
  }
})
process.send?.({ ready: pubsub.id })
