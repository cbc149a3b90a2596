// Starts one of each kind, with a Node child that ends as the argument says, and stops nothing; then waits for the message that says how it is to end.
import { spawnNode, startNginx, startProxy, startRedis, tempDir } from '../index.ts'

const redis = await startRedis()
await startProxy({ target: redis })
await startNginx({ conf: ({ port }) => `server { listen 127.0.0.1:${port}; return 200 hello; }` })
tempDir()
const child = spawnNode(new URL('./ends.js', import.meta.url), { args: [process.argv[2]!] })
await child.waitForLine(/^pid/)
redis.pause()
console.log('started')

process.once('message', (way) => {
  if (way === 'throw') throw new Error('a test file that fails at its top')
  if (way === 'exit') process.exit(0)
})
