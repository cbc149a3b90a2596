// Owns a process that beats for a lease (argv: URL, key, lease in ms) until it is killed, and prints what each beat answered.
import process from 'node:process'
import Fastify from 'fastify'
import { Loop } from 'fastify-ah-kit'
import { redisFor, SharedBeat } from 'fastify-ah-kit/redis'

const [redis = '', key = '', lease = ''] = process.argv.slice(2)
const connection = await redisFor(Fastify(), { owner: 'beat', redis, deadlineMs: 200 })
const beat = new SharedBeat(connection, key, Number(lease))
const loop = new Loop({
  name: 'beat',
  step: async () => {
    console.log(`beat ${await beat.record()} here it is ${Date.now()}`)
    return Number(lease) / 3
  },
  onError: (error) => console.log(error.message),
})
loop.start()
