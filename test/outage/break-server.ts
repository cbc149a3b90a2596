// Breaks one server that nobody can replace.
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisServer } from 'fastify-ah-test-support'
import type { Broken, Extent, Fault } from './faults.ts'

export async function breakServer(server: RedisServer, fault: Fault, { awayMs }: Extent): Promise<Broken> {
  const began = performance.now()
  if (fault === 'killed') {
    await server.kill()
    // Time is the subject: how long it is away.
    await sleep(awayMs)
    await server.restart()
  } else if (fault === 'frozen') {
    server.pause()
    // Likewise.
    await sleep(awayMs)
    server.resume()
  } else if (fault === 'restarted') {
    await server.restart()
  } else {
    throw new Error(`one server cannot be broken by: ${fault}`)
  }
  return { began, back: performance.now(), heal: async () => undefined }
}
