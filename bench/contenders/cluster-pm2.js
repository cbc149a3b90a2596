// Contender: an app as pm2's documentation asks for in cluster mode: says when it is ready, ends in order on SIGINT.
import Fastify from 'fastify'
import hello, { options } from './cluster-app.js'

const app = Fastify(options)
await app.register(hello)
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
process.once('SIGINT', async () => {
  await app.close()
  process.exit(0)
})
process.send('ready')
