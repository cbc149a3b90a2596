// Owns names whose keys lie on a wanted master of a Redis Cluster of three, and pipelines over them.
import calculateSlot from 'cluster-key-slot'
import { defineScript, KeySpace, type RedisConnection } from 'fastify-ah-kit/redis'

export const keys = new KeySpace({ prefix: 'shop:', isTagged: true })

/** Copies one key of a name to another. */
export const copy = defineScript({
  name: 'copy',
  keys: ['from', 'to'],
  args: [],
  lua: `return redis.call('SET', to, redis.call('GET', from)).ok`,
})

/** Names whose keys lie on the master, as the slots are at the start. */
export function namesOn(master: number, count: number): string[] {
  const found: string[] = []
  for (let i = 0; found.length < count; i++) {
    const name = `name-${i}`
    if (Math.floor(calculateSlot(keys.key('cache', name)) / (16384 / 3)) === master) found.push(name)
  }
  return found
}

export function setAll(names: readonly string[], value: string) {
  return names.map((name) => ({ command: 'SET', args: [keys.key('cache', name), value] }))
}

export function getAll(names: readonly string[]) {
  return names.map((name) => ({ command: 'GET', args: [keys.key('cache', name)] }))
}

/** Whether all names can be written, in one pipeline. */
export async function works(connection: RedisConnection, names: readonly string[]): Promise<boolean> {
  const answers = await connection.pipeline(setAll(names, 'works'))
  return answers.every((answer) => answer === 'OK')
}
