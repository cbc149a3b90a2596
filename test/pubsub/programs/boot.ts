// An app that boots, says how that went (the code of its error, or `ready`), and ends.
import process from 'node:process'
import fastify from 'fastify'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'

const app = fastify()
try {
  await app.register(fastifyAhPubsub)
  await app.ready()
  console.log('ready')
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  console.log(code, message)
  process.exitCode = 1
}
await app.close()
