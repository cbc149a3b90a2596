// Owns an app with every kind of connection to a Redis (argv: `ours` or `given`, host, port). On the parent's message it
// closes, twice at once, says how that and its open calls went, and has nothing left to do.
import { once } from 'node:events'
import process from 'node:process'
import Fastify from 'fastify'
import { redisFor } from 'fastify-ah-kit/redis'
import { Redis } from 'ioredis'

const [kind, host = '', port = ''] = process.argv.slice(2)
const address = { host, port: Number(port) }
const given = kind === 'given' ? new Redis({ ...address, disconnectTimeout: 100 }) : undefined
given?.on('error', () => undefined)

const app = Fastify()
const connection = await redisFor(app, { owner: 'test', redis: given ?? address, deadlineMs: 60_000 })
const blocking = connection.dedicated('blocking')
const subscriber = connection.dedicated('subscriber')
await subscriber.client.subscribe('news')
await connection.write('SET', ['a', '1'])
await app.ready()

const codeOf = (error: Error & { code?: string }) => error.code
const blocked = blocking.wait('BLPOP', (client) => client.call('blpop', ['nothing', 0]), 60_000).catch(codeOf)
process.send?.('connected')
await once(process, 'message')
const read = connection.read('GET', ['a']).catch(codeOf)
await Promise.all([app.close(), app.close(), connection.close()])
process.send?.({ read: await (kind === 'ours' ? read : Promise.race([read, 'open'])), blocked: await blocked })
given?.disconnect()
process.disconnect()
