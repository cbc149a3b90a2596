// Contender: mqemitter-redis, the emitter of Aedes and others.
import mqemitter from 'mqemitter-redis'
import { pair } from './pubsub-pair.js'

const emitter = () => mqemitter({ connectionString: process.env.BENCH_REDIS })
const closed = (mq) => new Promise((resolve) => mq.close(resolve))

await pair(
  import.meta.filename,
  async () => {
    const mq = emitter()
    const publish = (message) =>
      new Promise((resolve, reject) => {
        mq.emit({ topic: 'orders', message }, (error) => (error ? reject(error) : resolve()))
      })
    return { publish, close: () => closed(mq) }
  },
  async (hear) => {
    const mq = emitter()
    await new Promise((resolve) => {
      mq.on(
        'orders',
        (packet, done) => {
          hear(packet.message)
          done()
        },
        resolve,
      )
    })
    return { close: () => closed(mq) }
  },
)
