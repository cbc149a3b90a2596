// Owns the proof that the embedded store replies as Redis does to what we send.
import test from 'node:test'
import { assertFulfils, contract } from './contract.ts'
import { embeddedSide, redisSide } from './stores.ts'

for (const { name, client } of [await embeddedSide(test), await redisSide(test)]) {
  for (const protocol of [2, 3] as const) {
    const connection = client(protocol)
    for (const [title, steps] of Object.entries(contract)) {
      test(`${title} (${name}, RESP${protocol})`, () => assertFulfils(connection, steps))
    }
  }
}
