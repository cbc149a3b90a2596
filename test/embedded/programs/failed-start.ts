// A process that says why a store does not start: the arguments are the folder and what is done to the start.
import { closeSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedStore } from 'fastify-ah-embedded'
import { takeDescriptors } from './descriptors.ts'

const [, , directory = '', what = ''] = process.argv
const taken = what === 'without-descriptors' ? takeDescriptors() : []
const starting = startEmbeddedStore({ directory })
if (what === 'without-folder')
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true })
try {
  const store = await starting
  await store.close()
  console.log('started')
} catch (error) {
  for (const descriptor of taken) closeSync(descriptor)
  const { code, message, cause } = error as Error & { code: string }
  console.log(`${code} ${message}`)
  console.log(`because ${cause instanceof Error ? cause.message : 'of nothing else'}`)
}
