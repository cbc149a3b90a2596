// What is in a namespace: `keys`, `size` and `clear`.
import { scan } from 'fastify-ah-kit/redis'
import { checkKeyPrefix } from './key.ts'
import { ownWrite } from './local-tier.ts'
import type { Scope } from './scope.ts'

// A page of SCAN may be a little longer than it was asked for; no command touches more keys than this.
const keysPerCommand = 500

/** Goes through all keys in pages, over all masters, so that no call holds up Redis. */
export class Listing {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async keys(prefix = ''): Promise<string[]> {
    checkKeyPrefix(prefix)
    // SCAN may show a key twice.
    const names = new Set<string>()
    for await (const page of this.#pages(this.#scope.keys.valuePattern(prefix))) {
      for (const key of page) names.add(this.#scope.keys.nameOfValue(key))
    }
    return [...names]
  }

  async size(): Promise<number> {
    return (await this.keys()).length
  }

  async clear(prefix = ''): Promise<number> {
    checkKeyPrefix(prefix)
    const { keys } = this.#scope
    // First, since a value that is stored now is found below: who produces one just now read what it is made of before,
    // and that must not come back.
    for await (const page of this.#pages(keys.producePattern(prefix))) await this.#unlink(page)
    let cleared = 0
    for await (const page of this.#pages(keys.valuePattern(prefix))) {
      cleared += await ownWrite(this.#scope.local, page, () => this.#unlink(page))
    }
    return cleared
  }

  async *#pages(match: string): AsyncGenerator<string[]> {
    const { connection, traffic } = this.#scope
    traffic.flushAll()
    for await (const page of scan(connection, { match })) {
      for (let start = 0; start < page.length; start += keysPerCommand) {
        yield page.slice(start, start + keysPerCommand)
      }
    }
  }

  async #unlink(keys: readonly string[]): Promise<number> {
    const { connection } = this.#scope
    if (!connection.isCluster) return connection.write<number>('UNLINK', keys)
    // The keys of one page lie in many slots, and a command may touch only one.
    const answers = await connection.pipeline(keys.map((key) => ({ command: 'UNLINK', args: [key] })))
    return answers.reduce<number>((sum, answer) => {
      if (answer instanceof Error) throw answer
      return sum + Number(answer)
    }, 0)
  }
}
